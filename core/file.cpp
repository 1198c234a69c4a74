#include <atlas/core/file.hpp>

#include <atlas/core/descriptor_status.hpp>
#include <atlas/core/filesystem.hpp>
#include <atlas/core/last_error.hpp>
#include <atlas/core/unhurried.hpp>
#include <atlas/core/uv/uv_pool.hpp>
#include <atlas/core/uv/uv_status.hpp>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace atlas {
namespace {

using uv::FileCall;
using uv::without_value;

constexpr std::int64_t at_position = -1;

// The system's own bound for one read or write is 2 GiB, less a page.
constexpr std::size_t piece_bytes_max = std::size_t{1} << 30;

// O_NONBLOCK changes nothing for a file, and keeps a FIFO that somebody else has put there from holding a
// thread of the pool for ever.
int flags_of(const OpenOptions& options) {
  const bool write = options.write || options.append;
  int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (!write ? O_RDONLY : options.read ? O_RDWR : O_WRONLY);
  if (options.append) flags |= O_APPEND;
  if (options.create) flags |= O_CREAT;
  if (options.exclusive) flags |= O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  if (options.no_follow) flags |= O_NOFOLLOW;
  return flags;
}

Result<File> open_with(const std::string& path, int flags, unsigned mode, Deadline deadline) {
  FileCall call;
  const auto fd = call.run({"open file"}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_open(loop, request, path.c_str(), flags, static_cast<int>(mode), done);
  });
  if (!fd) return Unexpected(fd.error());
  return File(FileDescriptor(static_cast<int>(*fd)));
}

Result<std::size_t> read_piece(const File& file, std::span<char> into, std::int64_t offset,
                               Deadline deadline) {
  FileCall call;
  return call.run({"read file", &file}, deadline, [&](auto* loop, auto* request, auto done) {
    const auto size = std::min(into.size(), piece_bytes_max);
    const auto buffer = uv_buf_init(into.data(), static_cast<unsigned>(size));
    return uv_fs_read(loop, request, file.descriptor(), &buffer, 1, offset, done);
  });
}

Result<std::size_t> write_piece(const File& file, std::string_view bytes, std::int64_t offset,
                                Deadline deadline) {
  FileCall call;
  return call.run({"write file", &file}, deadline, [&](auto* loop, auto* request, auto done) {
    const auto size = std::min(bytes.size(), piece_bytes_max);
    // libuv's buffers are not const, but a write does not write to them.
    const auto buffer = uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(size));
    return uv_fs_write(loop, request, file.descriptor(), &buffer, 1, offset, done);
  });
}

Result<void> write_all(const File& file, std::string_view bytes, std::int64_t offset, Deadline deadline) {
  while (!bytes.empty()) {
    const auto written = write_piece(file, bytes, offset, deadline);
    if (!written) return Unexpected(written.error());
    bytes.remove_prefix(*written);
    if (offset != at_position) offset += static_cast<std::int64_t>(*written);
  }
  return {};
}

/// Whether all pages of a range are in memory, as far as the system says it (Linux 6.5).
bool is_cached(int fd, std::uint64_t offset, std::size_t bytes) noexcept {
  constexpr long cachestat_number = 451;  // of all architectures; Debian 12 has no name for it
  struct {
    std::uint64_t offset, bytes;
  } range{offset, bytes};
  struct {
    std::uint64_t cached, dirty, written_back, evicted, recently_evicted;
  } pages{};
  if (::syscall(cachestat_number, fd, &range, &pages, 0) != 0) return false;
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto wanted = (offset + bytes - 1) / page_bytes - offset / page_bytes + 1;
  return pages.cached >= wanted;
}

/// For file systems that do not know RWF_NOWAIT, as those in memory.
Result<std::size_t> read_cached(const File& file, std::uint64_t offset, std::span<char> into) {
  const auto status = file.try_status();
  if (!status) return Unexpected(status.error());
  const auto left = status->bytes - std::min(offset, status->bytes);
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left));
  if (bytes == 0) return std::size_t{0};
  if (!is_cached(file.descriptor(), offset, bytes))
    return Unexpected(std::errc::resource_unavailable_try_again);
  const auto count = ::pread(file.descriptor(), into.data(), bytes, static_cast<off_t>(offset));
  if (count < 0) return Unexpected(detail::last_error());
  return static_cast<std::size_t>(count);
}

/// Whether the system can count so far.
bool countable(std::uint64_t offset, std::size_t bytes = 0) {
  constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return offset <= limit && bytes <= limit - offset;
}

}  // namespace

Result<File> File::open(const std::string& path, const OpenOptions& options, Deadline deadline) {
  return open_with(path, flags_of(options), options.mode, deadline);
}

Result<File> File::unnamed(const std::string& folder, Deadline deadline) {
  auto file = open_with(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600, deadline);
  const bool unsupported =
      file.error() == std::errc::operation_not_supported || file.error() == std::errc::is_a_directory;
  if (!unsupported) return file;
  auto named = TemporaryFile::create(folder, {}, deadline);
  if (!named) return Unexpected(named.error());
  return std::move(named->file());
}

// NOLINTNEXTLINE(readability-make-member-function-const): of the file, if not of this object
Result<std::size_t> File::read_some(std::span<char> into, Deadline deadline) {
  return read_piece(*this, into, at_position, deadline);
}

Result<std::size_t> File::read_some_at(std::uint64_t offset, std::span<char> into, Deadline deadline) const {
  if (!countable(offset)) return Unexpected(std::errc::invalid_argument);
  return read_piece(*this, into, static_cast<std::int64_t>(offset), deadline);
}

Result<std::size_t> File::try_read_some_at(std::uint64_t offset, std::span<char> into) const {
  if (!countable(offset)) return Unexpected(std::errc::invalid_argument);
  const iovec room{into.data(), std::min(into.size(), piece_bytes_max)};
  const auto count = ::preadv2(fd_.get(), &room, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno != EOPNOTSUPP && errno != ENOSYS) return Unexpected(detail::last_error());
  return read_cached(*this, offset, {into.data(), room.iov_len});
}

// NOLINTNEXTLINE(readability-make-member-function-const): of the file, if not of this object
Result<void> File::write(std::string_view bytes, Deadline deadline) {
  return write_all(*this, bytes, at_position, deadline);
}

// NOLINTNEXTLINE(readability-make-member-function-const): of the file, if not of this object
Result<void> File::write_at(std::uint64_t offset, std::string_view bytes, Deadline deadline) {
  if (!countable(offset, bytes.size())) return Unexpected(std::errc::file_too_large);
  return write_all(*this, bytes, static_cast<std::int64_t>(offset), deadline);
}

Result<FileStatus> File::try_status() const { return detail::try_status(fd_.get()); }

Result<std::uint64_t> File::position() const {
  const auto position = ::lseek(fd_.get(), 0, SEEK_CUR);
  if (position < 0) return Unexpected(detail::last_error());
  return static_cast<std::uint64_t>(position);
}

Result<std::uint64_t> File::seek(std::uint64_t offset) const {
  if (!countable(offset)) return Unexpected(std::errc::invalid_argument);
  if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return Unexpected(detail::last_error());
  return offset;
}

Result<FileStatus> File::status(Deadline deadline) const {
  FileCall call;
  const auto done = call.run({"file status", this}, deadline, [&](auto* loop, auto* request, auto on_done) {
    return uv_fs_fstat(loop, request, descriptor(), on_done);
  });
  if (!done) return Unexpected(done.error());
  return uv::to_status(call.raw().statbuf);
}

Result<void> File::truncate(std::uint64_t bytes, Deadline deadline) {
  if (!countable(bytes)) return Unexpected(std::errc::file_too_large);
  FileCall call;
  return without_value(call.run({"truncate file", this}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_ftruncate(loop, request, descriptor(), static_cast<std::int64_t>(bytes), done);
  }));
}

Result<void> File::sync(Deadline deadline) {
  FileCall call;
  return without_value(call.run({"sync file", this}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_fsync(loop, request, descriptor(), done);
  }));
}

Result<void> File::sync_data(Deadline deadline) {
  FileCall call;
  return without_value(call.run({"sync file", this}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_fdatasync(loop, request, descriptor(), done);
  }));
}

Result<void> File::close() {
  const detail::Unhurried unhurried;
  FileCall call;
  return without_value(call.run({"close file"}, {}, [&](auto* loop, auto* request, auto done) {
    return uv_fs_close(loop, request, fd_.release(), done);
  }));
}

}  // namespace atlas
