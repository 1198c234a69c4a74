// The date of HTTP messages (IMF-fixdate, RFC 9110 §5.6.7), without locale and without asking a clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace atlas::http {

inline constexpr std::size_t date_bytes = 29;

/// "Sun, 06 Nov 1994 08:49:37 GMT" for 784111777, seconds since 1970 in UTC. Years 0 to 9999; a time
/// outside of them is taken as the nearest one inside.
[[nodiscard]] std::array<char, date_bytes> format_date(std::int64_t unix_seconds) noexcept;

/// The date field of responses, formatted anew only when the second has changed. One per thread: it
/// is not synchronised.
class DateCache {
 public:
  DateCache() noexcept;

  /// "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n". Valid until the next call with another second.
  [[nodiscard]] std::string_view line(std::int64_t unix_seconds) noexcept {
    if (unix_seconds != formatted_second_) [[unlikely]]
      format(unix_seconds);
    return {line_.data(), line_.size()};
  }

  /// The same without name and line ending.
  [[nodiscard]] std::string_view value(std::int64_t unix_seconds) noexcept {
    return line(unix_seconds).substr(name_bytes, date_bytes);
  }

 private:
  static constexpr std::size_t name_bytes = 6;

  void format(std::int64_t unix_seconds) noexcept;

  std::int64_t formatted_second_ = 0;
  std::array<char, name_bytes + date_bytes + 2> line_;
};

}  // namespace atlas::http
