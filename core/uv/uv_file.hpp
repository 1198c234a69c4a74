// Files, pipes and terminals written to through the loop's thread pool, so that neither a slow disk nor a
// full pipe holds up the thread. Internal.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace atlas::uv {

/// Suspends. open(2), always with O_CLOEXEC.
Result<FileDescriptor> open_file(const std::string& path, int flags, int mode = 0, Deadline deadline = {});

/// Writes in order, one fiber at a time. Never changes the flags of the descriptor, which other processes
/// may share: a pipe or terminal is waited for until it takes bytes, and gets no more than it surely takes.
class FileWriter {
 public:
  explicit FileWriter(FileDescriptor fd);

  /// Suspends until some of `bytes` are written; how many. `bytes` need not live past an error by deadline or
  /// cancellation, after which they may, or may not, still be written.
  Result<std::size_t> write_some(std::string_view bytes, Deadline deadline = {});
  /// Suspends until all of `bytes` are written; after an error, a part may be.
  Result<void> write_all(std::string_view bytes, Deadline deadline = {});

 private:
  [[nodiscard]] std::size_t piece_bytes_max() const;

  std::shared_ptr<const FileDescriptor> fd_;  // shared with a write that outlives its fiber's wait
  int pipe_bytes_;                            // what it holds, if it is a pipe; else -1
  bool takes_everything_;
};

/// Suspends until all of `bytes` are written to a descriptor that stays the caller's, as FileWriter does.
Result<void> write_all(int fd, std::string_view bytes, Deadline deadline = {});

}  // namespace atlas::uv
