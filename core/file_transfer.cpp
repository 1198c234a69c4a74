// What file.hpp says of whole files: sent to streams, read into memory, replaced.
#include <atlas/core/file.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/filesystem.hpp>
#include <atlas/core/signals.hpp>
#include <atlas/core/uv/uv_pool.hpp>

#include <fcntl.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace atlas {
namespace {

constexpr std::size_t copied_bytes_max = std::size_t{64} * 1024;
// What is copied when the socket is full, unless the limits ask for more at a time. Its writing waits for the
// peer, whose taking it makes room for far more, which needs no copy.
constexpr std::size_t waiting_bytes = std::size_t{16} * 1024;
// Small enough that a deadline does not wait long for the disk.
constexpr std::size_t pool_bytes_max = std::size_t{4} * 1024 * 1024;
// Small enough that the loop's other fibers do not wait long for the copying of one piece.
constexpr std::size_t loop_bytes_max = std::size_t{1024} * 1024;

/// Whether the first and the last byte are in memory. What lies between them nearly always is, then.
bool in_memory(const File& file, std::uint64_t offset, std::size_t bytes) {
  char byte = 0;
  return file.try_read_some_at(offset + bytes - 1, {&byte, 1}) &&
         (bytes == 1 || file.try_read_some_at(offset, {&byte, 1}));
}

/// Moves a range of a file to a stream: by the system while the socket takes bytes, and a piece at a time
/// through Stream::write, which waits for the peer, when it does not. What is in memory goes at once, for the
/// rest a thread of the pool waits for the disk.
class FileSender {
 public:
  FileSender(Stream& stream, const File& file, const FileRange& range, const WriteLimits& limits)
      : stream_(stream), file_(file), range_(range), limits_(limits), by_system_(stream.descriptor() >= 0) {}

  Result<std::uint64_t> run() {
    while (sent_ < range_.bytes) {
      if (by_system_) {
        if (const auto sent = send_by_system(); !sent) return Unexpected(sent.error());
      }
      const auto copied = send_copy();
      if (!copied) return Unexpected(copied.error());
      if (*copied == 0) break;  // the end of the file
    }
    return sent_;
  }

 private:
  [[nodiscard]] std::uint64_t offset() const noexcept { return range_.offset + sent_; }
  [[nodiscard]] std::size_t left(std::size_t bytes_max) const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(range_.bytes - sent_, bytes_max));
  }

  /// Until the socket is full, or all is sent.
  Result<void> send_by_system() {
    for (;;) {
      const bool at_once = in_memory(file_, offset(), left(loop_bytes_max));
      const std::size_t wanted = left(at_once ? loop_bytes_max : pool_bytes_max);
      const auto sent = at_once ? send_at_once(wanted) : send_by_pool(wanted);
      if (stream_.aborted()) return Unexpected(std::errc::connection_aborted);
      if (!sent) return by_copy_instead(sent.error());
      sent_ += *sent;
      if (*sent < wanted || sent_ == range_.bytes) return {};
      if (at_once) this_fiber::yield();
      if (stream_.aborted()) return Unexpected(std::errc::connection_aborted);
    }
  }

  Result<std::size_t> send_at_once(std::size_t wanted) {
    if (const auto refusal = Wait(WaitReason{"send file", &file_}).refusal(limits_.deadline))
      return Unexpected(refusal);
    const auto count = send_piece(stream_.descriptor(), wanted);
    if (count < 0) return Unexpected(std::error_code(static_cast<int>(-count), std::system_category()));
    return static_cast<std::size_t>(count);
  }

  // With a descriptor of its own: the stream may be closed by another fiber while the pool's thread sends.
  Result<std::size_t> send_by_pool(std::size_t wanted) {
    if (!socket_) socket_ = FileDescriptor(::fcntl(stream_.descriptor(), F_DUPFD_CLOEXEC, 0));
    if (!socket_) return Unexpected(std::errc::invalid_argument);
    return uv::call_in_pool({"send file", &file_}, limits_.deadline,
                            [&] { return send_piece(socket_.get(), wanted); });
  }

  /// A count or a negative errno.
  [[nodiscard]] std::intptr_t send_piece(int socket, std::size_t wanted) const noexcept {
    auto from = static_cast<off_t>(offset());
    const auto count = ::sendfile(socket, file_.descriptor(), &from, wanted);
    return count < 0 ? -errno : count;
  }

  /// A full socket is no error. Nor is a file system, or a kind of stream, that has no sendfile.
  Result<void> by_copy_instead(std::error_code error) {
    if (error == std::errc::invalid_argument) by_system_ = false;
    if (!by_system_ || error == std::errc::resource_unavailable_try_again) return {};
    return Unexpected(error);
  }

  Result<std::size_t> send_copy() {
    const std::size_t wanted = left(copied_piece_bytes());
    if (wanted == 0) return std::size_t{0};
    if (!copy_) copy_ = std::make_unique_for_overwrite<char[]>(copied_bytes_max);
    const auto count = read_piece({copy_.get(), wanted});
    if (!count || *count == 0) return count;
    if (auto written = stream_.write({copy_.get(), *count}, limits_); !written)
      return Unexpected(written.error());
    sent_ += *count;
    return count;
  }

  // A least rate is that of pieces: none may be smaller than what the rate asks for.
  [[nodiscard]] std::size_t copied_piece_bytes() const noexcept {
    return by_system_ ? std::clamp(limits_.stall_bytes, waiting_bytes, copied_bytes_max) : copied_bytes_max;
  }

  Result<std::size_t> read_piece(std::span<char> into) {
    const auto count = file_.try_read_some_at(offset(), into);
    return count ? count : file_.read_some_at(offset(), into, limits_.deadline);
  }

  Stream& stream_;
  const File& file_;
  FileRange range_;
  WriteLimits limits_;
  bool by_system_;
  FileDescriptor socket_;
  std::unique_ptr<char[]> copy_;
  std::uint64_t sent_ = 0;
};

Result<void> read_to_end(File& file, std::string& bytes, std::size_t bytes_max, Deadline deadline) {
  constexpr std::size_t step_bytes = std::size_t{64} * 1024;
  std::size_t count = 0;
  for (;;) {
    // One byte more than allowed is asked for, to see that there is one.
    if (count == bytes.size()) bytes.resize(count + std::min(step_bytes, bytes_max - count + 1));
    const auto read = file.read_some({bytes.data() + count, bytes.size() - count}, deadline);
    if (!read) return Unexpected(read.error());
    count += *read;
    if (count > bytes_max) return Unexpected(std::errc::file_too_large);
    if (*read == 0) return bytes.resize(count), Result<void>();
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return path.substr(0, std::max<std::size_t>(slash, 1));
}

}  // namespace

Result<std::uint64_t> send_file(Stream& stream, const File& file, const FileRange& range,
                                const WriteLimits& limits) {
  ATLAS_ASSERT(!stream.writing(), "a file was sent to a stream during a write");
  static const bool ignored = (ignore_broken_pipes(), true);
  static_cast<void>(ignored);
  auto sent = FileSender(stream, file, range, limits).run();
  if (!sent) stream.abort();
  return sent;
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max, Deadline deadline) {
  auto file = File::open(path, {}, deadline);
  if (!file) return Unexpected(file.error());
  const auto status = file->status(deadline);
  if (!status) return Unexpected(status.error());
  if (status->bytes > bytes_max) return Unexpected(std::errc::file_too_large);
  std::string bytes(static_cast<std::size_t>(status->bytes) + 1, '\0');
  if (auto read = read_to_end(*file, bytes, bytes_max, deadline); !read) return Unexpected(read.error());
  return bytes;
}

Result<void> write_file(const std::string& path, std::string_view bytes, const WriteFileOptions& options,
                        Deadline deadline) {
  const std::string folder = folder_of(path);
  auto temporary = TemporaryFile::create(folder, {.mode = options.mode}, deadline);
  if (!temporary) return Unexpected(temporary.error());
  if (auto written = temporary->file().write(bytes, deadline); !written) return written;
  if (options.sync) {
    if (auto synced = temporary->file().sync(deadline); !synced) return synced;
  }
  if (auto renamed = temporary->rename_to(path, deadline); !renamed) return renamed;
  if (!options.sync) return {};
  auto names = File::open(folder, {}, deadline);
  if (!names) return Unexpected(names.error());
  return names->sync(deadline);
}

}  // namespace atlas
