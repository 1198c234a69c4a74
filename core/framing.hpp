// How messages are told apart in a stream of bytes: what readers and writers agree on. No I/O.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace atlas {

enum class FramingErrc {
  unexpected_end = 1,  ///< The stream ended in the middle of a line, a frame or a number of bytes.
  too_long,            ///< Equivalent to std::errc::message_size.
};

[[nodiscard]] const std::error_category& framing_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(FramingErrc code) noexcept {
  return {static_cast<int>(code), framing_category()};
}

/// A frame: the payload's length as an unsigned number, then the payload.
struct FrameFormat {
  std::size_t length_bytes = 4;  ///< Of the number: 1, 2, 4 or 8.
  std::endian order = std::endian::big;
  std::size_t frame_bytes_max = std::size_t{1024} * 1024;  ///< Of the payload.
};

}  // namespace atlas

template <>
struct std::is_error_code_enum<atlas::FramingErrc> : std::true_type {};
