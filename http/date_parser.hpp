// Dates as fields carry them (RFC 9110 §5.6.7), read without locale and without asking a clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace atlas::http {

/// Seconds since 1970 in UTC of a date in any of the three forms that a recipient must know: "Sun, 06 Nov
/// 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". Nothing for anything
/// else, nor for a day that the month does not have; a leap second is taken for the second before. Which
/// century two digits of a year mean follows from `now`: not more than fifty years from then. That the day of
/// the week is the date's is not checked.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now) noexcept;

}  // namespace atlas::http
