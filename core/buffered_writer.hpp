// Gathers small writes to any stream, so that they leave together when it is told to flush.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/core/framing.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <string_view>
#include <system_error>

namespace atlas {

struct BufferedWriterOptions {
  std::size_t buffer_bytes_max = std::size_t{16} * 1024;  ///< Copied and not yet written.
  Duration stall_max = Duration::max();                   ///< See WriteLimits.
};

/// Of one stream, which must outlive it, and of one fiber at a time.
///
/// Nothing is sure to leave before `flush`; what was not flushed when the writer is destroyed is lost, for a
/// destructor can neither wait nor tell of an error. The first error of the stream stays: the stream is
/// aborted (see Stream::write), and every later call answers the same.
class BufferedWriter {
 public:
  explicit BufferedWriter(Stream& stream, const BufferedWriterOptions& options = {})
      : stream_(&stream), options_(options) {}

  /// Copies `bytes` where they fit into what is left of the buffer. Otherwise suspends until the system has
  /// taken all that was buffered, and `bytes` from where they lie.
  Result<void> write(std::string_view bytes, Deadline deadline = {});
  /// As `write`, with the payload's length before it. FramingErrc::too_long, and nothing written, when
  /// `payload` is above frame_bytes_max or its length does not fit into the number.
  Result<void> write_frame(std::string_view payload, const FrameFormat& format = {}, Deadline deadline = {});
  /// Suspends until the system has taken all that is buffered.
  Result<void> flush(Deadline deadline = {});

  [[nodiscard]] std::size_t buffered_bytes() const noexcept { return buffer_.size(); }
  /// Set for good by the first write that failed.
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

 private:
  Result<void> write_through(std::string_view first, std::string_view second, Deadline deadline);

  Stream* stream_;
  BufferedWriterOptions options_;
  ByteBuffer buffer_;
  std::error_code error_;
};

}  // namespace atlas
