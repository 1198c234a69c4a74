// Reads lines, frames and numbers of bytes from any stream, and keeps what has arrived beyond them for the
// next call. What lies in one read buffer is not copied.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/core/chunk.hpp>
#include <atlas/core/framing.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <limits>
#include <string_view>

namespace atlas {

/// A view of what was read, or the end of the stream, which is false and views nothing.
class InputView {
 public:
  constexpr InputView() noexcept = default;
  constexpr explicit InputView(std::string_view bytes) noexcept : bytes_(bytes), ended_(false) {}

  constexpr explicit operator bool() const noexcept { return !ended_; }
  constexpr operator std::string_view() const noexcept { return bytes_; }
  constexpr std::string_view operator*() const noexcept { return bytes_; }
  constexpr const std::string_view* operator->() const noexcept { return &bytes_; }

 private:
  std::string_view bytes_;
  bool ended_ = true;
};

/// Of one stream, which must outlive it, and of one fiber at a time. Nobody else may read from the stream.
///
/// Views are valid until the next call, `buffered` and `consume` excepted. A call whose bytes have arrived
/// already returns at once. A call that fails, by its deadline for instance, has taken nothing: all that
/// arrived is there for the next. Beside the stream's errors there are FramingErrc's: unexpected_end when the
/// stream ends in the middle of what is read (at its beginning the end is a value), too_long, which the same
/// call would answer again. Memory is bounded by twice what a call may read and two read buffers of the
/// stream.
class BufferedReader {
 public:
  explicit BufferedReader(Stream& stream) noexcept : stream_(&stream) {}

  /// Suspends until there is something; up to `bytes_max` of what has arrived.
  Result<InputView> read_some(std::size_t bytes_max = std::numeric_limits<std::size_t>::max(),
                              Deadline deadline = {});
  /// Suspends until `count` bytes have arrived. Their memory grows as they come, not before.
  Result<InputView> read_exactly(std::size_t count, Deadline deadline = {});
  /// Suspends until `delimiter` (not empty) has arrived; the bytes before it, of which there may be
  /// `bytes_max`. The delimiter is taken too.
  Result<InputView> read_until(std::string_view delimiter, std::size_t bytes_max, Deadline deadline = {});
  /// Suspends until a line has arrived, ended by LF or CRLF, neither of which is part of it or counts.
  Result<InputView> read_line(std::size_t bytes_max = line_bytes_max_default, Deadline deadline = {});
  /// Suspends until a frame has arrived; its payload.
  Result<InputView> read_frame(const FrameFormat& format = {}, Deadline deadline = {});
  /// Suspends until the stream has ended; all that was left of it.
  Result<std::string_view> read_to_end(std::size_t bytes_max, Deadline deadline = {});

  /// Suspends until `count` bytes have arrived, or the stream has ended before; those bytes, which stay to be
  /// read.
  Result<std::string_view> peek(std::size_t count, Deadline deadline = {});
  /// What has arrived and was not read: for who goes on without the reader.
  [[nodiscard]] std::string_view buffered() noexcept;
  /// Takes `count` bytes of what is buffered.
  void consume(std::size_t count);

  static constexpr std::size_t line_bytes_max_default = std::size_t{8} * 1024;

 private:
  struct Extent;

  template <class Measure>
  Result<InputView> read(const Measure& measure, Deadline deadline);
  Result<bool> wait_for_more(Deadline deadline);
  Result<InputView> take(const Extent& extent);
  [[nodiscard]] Result<InputView> at_end() noexcept;

  static constexpr std::size_t kept_bytes_max = std::size_t{4} * 1024;

  Stream* stream_;
  Chunk chunk_;        // unread bytes where the stream put them, or
  ByteBuffer joined_;  // those of several chunks
};

}  // namespace atlas
