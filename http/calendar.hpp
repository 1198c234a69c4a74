// What the writer and the reader of dates both know of the calendar.
#pragma once

#include <cstdint>
#include <string_view>

namespace atlas::http {

inline constexpr std::int64_t seconds_per_day = 86'400;
inline constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";

}  // namespace atlas::http
