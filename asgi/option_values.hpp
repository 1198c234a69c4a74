// What people write for an option's value, read strictly and written back: "8000", "64k", "1.5s". Knows
// nothing of the options themselves. Internal.
#pragma once

#include <atlas/core/time.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atlas::asgi {

/// A value that cannot be taken: why not, in a few words ("not a whole number").
class BadValue : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bounds, both inclusive.
template <class T>
struct Range {
  T min;
  T max;
};

// All of these throw BadValue.

/// Decimal digits only.
[[nodiscard]] std::uint64_t parse_whole_number(std::string_view text, Range<std::uint64_t> range);

/// Bytes: a whole number, with k, M or G behind it (in either case) for 1024, 1024² or 1024³.
[[nodiscard]] std::uint64_t parse_size(std::string_view text, Range<std::uint64_t> range);

/// A decimal number, with ms, s, m or h behind it; without one, seconds. To the millisecond.
[[nodiscard]] Duration parse_duration(std::string_view text, Range<Duration> range);

/// The shortest text that is read back as the same: "64k", "1000".
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// Likewise: "500ms", "10s", "2m".
[[nodiscard]] std::string duration_text(Duration duration);

/// For messages that have to stay one line: control characters become \x0a.
[[nodiscard]] std::string on_one_line(std::string_view text);

}  // namespace atlas::asgi
