// The two forms of a log line, as plain functions of what it says. Internal.
#pragma once

#include <atlas/core/log.hpp>
#include <atlas/core/log_fields.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

namespace atlas::log {

struct Line {
  std::chrono::system_clock::time_point time;
  Level level = Level::info;
  int worker = -1;         ///< -1: not a worker.
  std::string_view fiber;  ///< Empty: not on a fiber.
  std::span<const Field> fields = {};
  std::string_view message;
};

/// A usual line fits without an allocation.
using LineBuffer = fmt::basic_memory_buffer<char, 1024>;

/// What is longer is cut, and says so.
inline constexpr std::size_t message_bytes_max = std::size_t{16} * 1024;

/// Appends the line, with its newline. What is not printable UTF-8 becomes `\x0a` in text; in JSON (RFC 8259)
/// control characters are escaped and bytes that are not UTF-8 become U+FFFD. In text, a field's value stands
/// in quotes unless it is one plain word, so that it cannot be taken for another field, nor for the message.
void format_line(LineBuffer& into, Format format, const Line& line);

}  // namespace atlas::log
