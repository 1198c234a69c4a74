#include <atlas/core/buffered_writer.hpp>

#include <atlas/core/assert.hpp>

#include <array>
#include <bit>
#include <cstdint>

namespace atlas {
namespace {

/// A payload's length as its frame begins with it.
class EncodedLength {
 public:
  EncodedLength(std::uint64_t length, const FrameFormat& format) : size_(format.length_bytes) {
    for (std::size_t i = 0; i < size_; ++i) {
      const std::size_t at = format.order == std::endian::little ? i : size_ - 1 - i;
      bytes_[at] = static_cast<char>(length >> (8 * i) & 0xff);
    }
  }

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 8> bytes_{};
  std::size_t size_;
};

bool fits(std::uint64_t length, const FrameFormat& format) {
  ATLAS_ASSERT(format.length_bytes <= 8 && std::has_single_bit(format.length_bytes),
               "a length has 1, 2, 4 or 8 bytes");
  const bool representable = format.length_bytes == 8 || length >> (8 * format.length_bytes) == 0;
  return representable && length <= format.frame_bytes_max;
}

}  // namespace

Result<void> BufferedWriter::write(std::string_view bytes, Deadline deadline) {
  return write_through({}, bytes, deadline);
}

Result<void> BufferedWriter::write_frame(std::string_view payload, const FrameFormat& format,
                                         Deadline deadline) {
  if (!fits(payload.size(), format)) return Unexpected(FramingErrc::too_long);
  return write_through(EncodedLength(payload.size(), format).view(), payload, deadline);
}

Result<void> BufferedWriter::write_through(std::string_view first, std::string_view second,
                                           Deadline deadline) {
  if (error_) return Unexpected(error_);
  const std::size_t room = options_.buffer_bytes_max - buffer_.size();
  if (first.size() <= room && second.size() <= room - first.size()) {
    buffer_.append(first);
    buffer_.append(second);
    return {};
  }
  const std::array pieces{buffer_.view(), first, second};
  const auto written = stream_->write(pieces, {.deadline = deadline, .stall_max = options_.stall_max});
  buffer_.clear();
  error_ = written.error();
  return written;
}

Result<void> BufferedWriter::flush(Deadline deadline) {
  if (error_) return Unexpected(error_);
  if (buffer_.empty()) return {};
  const auto written =
      stream_->write(buffer_.view(), {.deadline = deadline, .stall_max = options_.stall_max});
  buffer_.clear();
  error_ = written.error();
  return written;
}

}  // namespace atlas
