// What file.hpp says of whole files: sent to streams, read into memory, replaced.
#include <atlas/core/file.hpp>

#include <atlas/core/assert.hpp>
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
// Small enough that a deadline does not wait long for the disk.
constexpr std::size_t sent_bytes_max = std::size_t{4} * 1024 * 1024;

/// Moves a range of a file to a stream: by the system while the socket takes bytes, and a piece at a time
/// through Stream::write, which waits for the peer, when it does not.
class FileSender {
 public:
  FileSender(Stream& stream, const File& file, const FileRange& range, const WriteLimits& limits)
      : stream_(stream),
        file_(file),
        range_(range),
        limits_(limits),
        // Its own descriptor: the stream may be closed by another fiber while the pool's thread sends.
        socket_(stream.descriptor() < 0 ? -1 : ::fcntl(stream.descriptor(), F_DUPFD_CLOEXEC, 0)) {}

  Result<std::uint64_t> run() {
    while (sent_ < range_.bytes) {
      if (socket_) {
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
      const std::size_t wanted = left(sent_bytes_max);
      if (wanted == 0) return {};
      const auto sent = send_piece_by_system(wanted);
      if (stream_.aborted()) return Unexpected(std::errc::connection_aborted);
      if (!sent) return Unexpected(sent.error());
      sent_ += *sent;
      if (*sent < wanted) return {};
    }
  }

  Result<std::size_t> send_piece_by_system(std::size_t wanted) {
    const auto sent = uv::call_in_pool({"send file", &file_}, limits_.deadline, [&]() -> std::intptr_t {
      auto from = static_cast<off_t>(offset());
      const auto count = ::sendfile(socket_.get(), file_.descriptor(), &from, wanted);
      return count < 0 ? -errno : count;
    });
    if (sent) return sent;
    if (sent.error() == std::errc::resource_unavailable_try_again) return std::size_t{0};
    if (sent.error() != std::errc::invalid_argument) return sent;
    socket_ = {};  // the file's system or the stream's kind has no sendfile
    return std::size_t{0};
  }

  Result<std::size_t> send_copy() {
    const std::size_t wanted = left(copied_bytes_max);
    if (wanted == 0) return std::size_t{0};
    if (!copy_) copy_ = std::make_unique_for_overwrite<char[]>(copied_bytes_max);
    const auto count = file_.read_some_at(offset(), {copy_.get(), wanted}, limits_.deadline);
    if (!count || *count == 0) return count;
    if (auto written = stream_.write({copy_.get(), *count}, limits_); !written)
      return Unexpected(written.error());
    sent_ += *count;
    return count;
  }

  Stream& stream_;
  const File& file_;
  FileRange range_;
  WriteLimits limits_;
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
  ignore_broken_pipes();
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
