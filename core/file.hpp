// Files of the operating system, read and written on libuv's thread pool while the fiber waits. Names in
// folders are filesystem.hpp's.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace atlas {

/// What every call below holds to: it suspends its fiber only. timed_out and operation_canceled (by the
/// call's deadline, a DeadlineScope or cancellation) say that nothing was done. An operation that has begun
/// can no longer be taken back: it is waited for, and its result counts. Other errors are the system's
/// (std::system_category).

enum class FileKind : std::uint8_t { regular, directory, symlink, fifo, socket, device, unknown };

struct FileStatus {
  FileKind kind = FileKind::unknown;
  std::uint64_t bytes = 0;
  unsigned mode = 0;        ///< Permissions: the lowest twelve bits.
  std::uint64_t links = 0;  ///< Names in folders; 0 for a file without one.
  std::chrono::system_clock::time_point modified;
  std::chrono::system_clock::time_point changed;  ///< Also by other means than writing: permissions, names.
  std::uint64_t device = 0;                       ///< With `inode`: which file it is, on this machine.
  std::uint64_t inode = 0;

  friend bool operator==(const FileStatus&, const FileStatus&) = default;
};

struct OpenOptions {
  bool read = true;
  bool write = false;
  bool append = false;     ///< Writes go to the end, whatever the position; implies `write`.
  bool create = false;     ///< When it is not there.
  bool exclusive = false;  ///< With `create`: file_exists when something is there, a symlink too.
  bool truncate = false;
  bool no_follow = false;  ///< too_many_symbolic_link_levels when the last part of the path is a symlink.
  unsigned mode = 0666;    ///< Of a file that is created; the process's umask is taken off.
};

/// An open file. Of any thread, one at a time, but for the calls with an offset, which several fibers may
/// make at once; it must not be moved, closed or destroyed meanwhile.
class File {
 public:
  /// Suspends. A FIFO or a device is not waited for: reading one may answer resource_unavailable_try_again.
  [[nodiscard]] static Result<File> open(const std::string& path, const OpenOptions& options = {},
                                         Deadline deadline = {});
  /// Suspends. A file without a name, to read and to write, on the file system of `folder`; it is gone when
  /// closed.
  [[nodiscard]] static Result<File> unnamed(const std::string& folder, Deadline deadline = {});
  /// Takes over an open descriptor.
  explicit File(FileDescriptor fd) noexcept : fd_(std::move(fd)) {}

  /// Suspends. Up to `into.size()` bytes from the position on, which moves; how many. 0 at the end.
  Result<std::size_t> read_some(std::span<char> into, Deadline deadline = {});
  /// Suspends. As `read_some`, from `offset` on; the position stays.
  [[nodiscard]] Result<std::size_t> read_some_at(std::uint64_t offset, std::span<char> into,
                                                 Deadline deadline = {}) const;
  /// Does not suspend: as `read_some_at`, of what the system has in memory.
  /// resource_unavailable_try_again when it would have to ask the disk, or does not say.
  [[nodiscard]] Result<std::size_t> try_read_some_at(std::uint64_t offset, std::span<char> into) const;
  /// Suspends until all of `bytes` are written at the position, which moves. After an error, timed_out and
  /// operation_canceled among them, a part may be.
  Result<void> write(std::string_view bytes, Deadline deadline = {});
  /// Suspends. As `write`, from `offset` on; the position stays.
  Result<void> write_at(std::uint64_t offset, std::string_view bytes, Deadline deadline = {});

  /// Suspends.
  [[nodiscard]] Result<FileStatus> status(Deadline deadline = {}) const;
  /// Does not suspend: what the system knows, without asking a file server.
  [[nodiscard]] Result<FileStatus> try_status() const;
  /// Neither suspends. invalid_seek for what has no position, such as a FIFO. `seek` answers the new one.
  [[nodiscard]] Result<std::uint64_t> position() const;
  Result<std::uint64_t> seek(std::uint64_t offset) const;
  /// Suspends. Cuts the file, or lengthens it with zeros.
  Result<void> truncate(std::uint64_t bytes, Deadline deadline = {});
  /// Suspends until what was written is on the disk, and with it what describes the file (fsync(2)).
  Result<void> sync(Deadline deadline = {});
  /// Suspends. As `sync`, but leaves out what is not needed to read the bytes, such as times.
  Result<void> sync_data(Deadline deadline = {});

  /// Suspends until it is closed, whatever the deadline; tells of a write that failed late, as network file
  /// systems have them. The file is closed after an error too. The destructor closes silently and at once.
  Result<void> close();

  /// Stays the file's; -1 after `close`.
  [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }

 private:
  FileDescriptor fd_;
};

/// What part of a file.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = UINT64_MAX;  ///< At most: it ends with the file.
};

/// Suspends until the stream has taken the range; how many bytes that was, less than asked for when the file
/// ends before. Sockets get them from the system without a copy (sendfile(2)). `limits` are those of
/// Stream::write, the stall being that of each piece. After an error the stream is aborted: the peer may have
/// got a part. Makes the process ignore SIGPIPE.
Result<std::uint64_t> send_file(Stream& stream, const File& file, const FileRange& range = {},
                                const WriteLimits& limits = {});

/// Suspends. All of a file; file_too_large when it has more than `bytes_max`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max,
                                            Deadline deadline = {});

struct WriteFileOptions {
  unsigned mode = 0666;  ///< Less the process's umask.
  bool sync =
      true;  ///< Lets it, and its name, reach the disk first: a crash leaves the old file or the new one.
};

/// Suspends until `path` is a file with these bytes. Others find the old file or the new one, never a part:
/// it is written beside `path` under another name and renamed. A symlink at `path` is replaced, not followed.
/// After an error, the old file is there as before (unless only syncing the folder failed).
Result<void> write_file(const std::string& path, std::string_view bytes, const WriteFileOptions& options = {},
                        Deadline deadline = {});

}  // namespace atlas
