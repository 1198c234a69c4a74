#include <atlas/http/date.hpp>

#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <string>
#include <string_view>

namespace atlas::http {
namespace {

std::string date(std::int64_t unix_seconds) {
  const auto text = format_date(unix_seconds);
  return {text.data(), text.size()};
}

TEST(Date, IsImfFixdate) {
  EXPECT_EQ(date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Date, AgreesWithTheCLibrary) {
  for (std::int64_t second = -30'000'000'000; second < 60'000'000'000; second += 86'399 * 997) {
    const std::time_t time = second;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char expected[64];
    std::strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    ASSERT_EQ(date(second), expected);
  }
}

TEST(Date, KnowsLeapDays) {
  EXPECT_EQ(date(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(date(1'709'251'199), "Thu, 29 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(date(4'107'542'400), "Mon, 01 Mar 2100 00:00:00 GMT");
}

TEST(Date, StaysWithinYears0To9999) {
  EXPECT_EQ(date(std::numeric_limits<std::int64_t>::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
  EXPECT_EQ(date(std::numeric_limits<std::int64_t>::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(DateCache, GivesTheWholeLine) {
  DateCache dates;
  EXPECT_EQ(dates.line(784'111'777), "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(dates.value(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(dates.line(0), "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}

TEST(DateCache, BeginsAtTheEpoch) {
  DateCache dates;
  EXPECT_EQ(dates.value(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace atlas::http
