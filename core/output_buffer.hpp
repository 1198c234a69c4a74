// What a connection is about to send: small pieces gather here and leave in one write. Bounded by who
// appends. Knows nothing of what the bytes mean.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/stream.hpp>

#include <string_view>
#include <system_error>

namespace atlas {

/// Used for one stream at a time, by one fiber at a time.
class OutputBuffer final : private WriteObserver {
 public:
  OutputBuffer() = default;
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  ~OutputBuffer() = default;

  /// From here on for `stream`, empty and without error. Of `limits`, the stall's are heeded.
  void attach(Stream& stream, const WriteLimits& limits);
  /// Forgets what was not sent. No write of it may be under way, unless the stream was aborted.
  void detach() noexcept;

  /// Append here; nothing leaves until one of the functions below is called.
  [[nodiscard]] ByteBuffer& pending() noexcept { return pending_; }

  /// Suspends until the system has taken all that is pending.
  Result<void> flush();
  /// Suspends until the system has taken all that is pending and, after it, `bytes`, which are not copied.
  Result<void> write_through(std::string_view bytes);
  /// Suspends until the system has taken all that is pending and, after it, the range of `file`, which must
  /// have an end. io_error when the file ends before that, after which the stream is aborted: the peer was
  /// promised more.
  Result<void> send_file(const File& file, const FileRange& range);
  /// Gives the system what it takes at once; the rest follows in the background. For suspend hooks.
  void flush_without_waiting() noexcept;

  /// What it holds.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return pending_.size() + in_flight_.size(); }

  /// Set for good by the first write that failed.
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

 private:
  void on_written(std::error_code error) override;
  Result<void> write_before_more();
  Result<void> wait_for_background();
  Result<void> fail(std::error_code error);

  static constexpr std::size_t kept_bytes_max = std::size_t{64} * 1024;

  Stream* stream_ = nullptr;
  WriteLimits limits_;
  ByteBuffer pending_;
  ByteBuffer in_flight_;  // being written in the background
  Waker waiter_;
  std::error_code error_;
};

}  // namespace atlas
