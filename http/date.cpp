#include <atlas/http/date.hpp>

#include <atlas/http/calendar.hpp>

#include <algorithm>
#include <cstring>

namespace atlas::http {
namespace {

constexpr std::int64_t year_0_seconds = -62'167'219'200;     // 0000-01-01T00:00:00Z
constexpr std::int64_t year_9999_seconds = 253'402'300'799;  // 9999-12-31T23:59:59Z

constexpr std::string_view weekday_names = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday

struct CivilDate {
  std::int64_t year;
  std::int64_t month;  // 1 to 12
  std::int64_t day;    // 1 to 31
};

// Howard Hinnant's days algorithm, on years that begin in March, for days since 1970-01-01; no day lies
// before the era that begins in March of year 0 by more than one era.
constexpr CivilDate civil_date(std::int64_t days) {
  const std::int64_t shifted = days + 719'468 + 146'097;  // since 1 March of year -400: never negative
  const std::int64_t era = shifted / 146'097;
  const std::int64_t day_of_era = shifted % 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;
  const std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {.year = (era - 1) * 400 + year_of_era + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * march_month + 2) / 5 + 1};
}

// Both write at a position in the date, which begins as "Ddd, 00 Mmm 0000 00:00:00 GMT".
void put_name(char* at, std::string_view names, std::int64_t index) noexcept {
  std::memcpy(at, names.data() + 3 * index, 3);
}

void put_two_digits(char* at, std::int64_t value) noexcept {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::array<char, date_bytes> format_date(std::int64_t unix_seconds) noexcept {
  const std::int64_t since_year_0 =
      std::clamp(unix_seconds, year_0_seconds, year_9999_seconds) - year_0_seconds;
  const std::int64_t days = since_year_0 / seconds_per_day + year_0_seconds / seconds_per_day;
  const std::int64_t second = since_year_0 % seconds_per_day;
  const CivilDate date = civil_date(days);

  std::array<char, date_bytes> text;
  std::memcpy(text.data(), "Ddd, 00 Mmm 0000 00:00:00 GMT", date_bytes);
  put_name(&text[0], weekday_names, (days % 7 + 7) % 7);
  put_two_digits(&text[5], date.day);
  put_name(&text[8], month_names, date.month - 1);
  put_two_digits(&text[12], date.year / 100);
  put_two_digits(&text[14], date.year % 100);
  put_two_digits(&text[17], second / 3600);
  put_two_digits(&text[20], second / 60 % 60);
  put_two_digits(&text[23], second % 60);
  return text;
}

DateCache::DateCache() noexcept {
  std::memcpy(line_.data(), "date: ", name_bytes);
  std::memcpy(line_.data() + name_bytes + date_bytes, "\r\n", 2);
  format(0);
}

void DateCache::format(std::int64_t unix_seconds) noexcept {
  const auto date = format_date(unix_seconds);
  std::memcpy(line_.data() + name_bytes, date.data(), date.size());
  formatted_second_ = unix_seconds;
}

}  // namespace atlas::http
