// What the process was given to read and to write: a terminal, a pipe, a socket or a file, whichever. Others
// may share these descriptors (a shell, a pager), so their flags are left alone. The log has its own way to
// stdout: core/log.hpp.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace atlas {

namespace uv {
class FileWriter;
}

/// Reads a descriptor of any kind. Of one thread, one fiber at a time.
class DescriptorReader {
 public:
  explicit DescriptorReader(FileDescriptor fd) noexcept : fd_(std::move(fd)) {}

  /// Suspends until there is something to read; how many bytes were put into `into`. 0 at the end. A call
  /// that ends by its deadline or by cancellation has read nothing, unless somebody else reads the same
  /// terminal or pipe and takes what this call was about to read: then it lasts until there is more.
  Result<std::size_t> read_some(std::span<char> into, Deadline deadline = {});

 private:
  FileDescriptor fd_;
};

/// Writes to a descriptor of any kind. Of one thread, one fiber at a time.
class DescriptorWriter {
 public:
  explicit DescriptorWriter(FileDescriptor fd);
  DescriptorWriter(DescriptorWriter&& other) noexcept;
  DescriptorWriter& operator=(DescriptorWriter&& other) noexcept;
  ~DescriptorWriter();

  /// Suspends until all of `bytes` are written; after an error a part may be, or may still come.
  Result<void> write(std::string_view bytes, Deadline deadline = {});

 private:
  std::unique_ptr<uv::FileWriter> writer_;
};

/// A descriptor of its own for the process's standard input; bad_file_descriptor when it has none.
[[nodiscard]] Result<DescriptorReader> standard_input();
/// As `standard_input`, to write. Makes the process ignore SIGPIPE, as the log does.
[[nodiscard]] Result<DescriptorWriter> standard_output();
[[nodiscard]] Result<DescriptorWriter> standard_error();

}  // namespace atlas
