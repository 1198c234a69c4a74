#include <atlas/http/date_parser.hpp>

#include <atlas/http/date.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace atlas::http {
namespace {

constexpr std::int64_t now = 1'790'000'000;  // in 2026

std::optional<std::int64_t> parsed(std::string_view text) { return parse_date(text, now); }

// RFC 9110 §5.6.7
TEST(DateParser, ReadsTheThreeForms) {
  EXPECT_EQ(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(parsed("Sunday, 06-Nov-94 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(parsed("Sun Nov  6 08:49:37 1994"), 784'111'777);
  EXPECT_EQ(parsed("Sun Nov 16 08:49:37 1994"), 784'111'777 + 10 * 86'400);
}

TEST(DateParser, ReadsWhatIsWritten) {
  for (std::int64_t second = -62'000'000'000; second < 253'000'000'000; second += 86'399 * 997) {
    const auto text = format_date(second);
    ASSERT_EQ(parsed({text.data(), text.size()}), second);
  }
}

// RFC 9110 §5.6.7: "more than 50 years in the future"
TEST(DateParser, PutsTwoDigitsIntoTheCenturyThatIsNear) {
  EXPECT_EQ(parsed("Sunday, 01-Jan-76 00:00:00 GMT"), parsed("Sun, 01 Jan 2076 00:00:00 GMT"));
  EXPECT_EQ(parsed("Sunday, 01-Jan-77 00:00:00 GMT"), parsed("Sun, 01 Jan 1977 00:00:00 GMT"));
  EXPECT_EQ(parsed("Sunday, 01-Jan-00 00:00:00 GMT"), parsed("Sun, 01 Jan 2000 00:00:00 GMT"));
}

TEST(DateParser, KnowsHowManyDaysAMonthHas) {
  EXPECT_TRUE(parsed("Tue, 29 Feb 2000 00:00:00 GMT"));
  EXPECT_FALSE(parsed("Tue, 29 Feb 2100 00:00:00 GMT"));
  EXPECT_FALSE(parsed("Tue, 31 Apr 2001 00:00:00 GMT"));
  EXPECT_FALSE(parsed("Tue, 00 Apr 2001 00:00:00 GMT"));
  EXPECT_FALSE(parsed("Tue, 32 Jan 2001 00:00:00 GMT"));
}

TEST(DateParser, TakesALeapSecondForTheOneBefore) {
  EXPECT_EQ(parsed("Sat, 31 Dec 2016 23:59:60 GMT"), parsed("Sat, 31 Dec 2016 23:59:59 GMT"));
  EXPECT_FALSE(parsed("Sat, 31 Dec 2016 23:59:61 GMT"));
}

TEST(DateParser, RefusesWhatIsNoDate) {
  const std::string good = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parsed(good.substr(0, size))) << size;
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 6 Nov 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT", "Sunday Nov  6 08:49:37 1994", "Sun, 06-Nov-94 08:49:37 GMT"}) {
    EXPECT_FALSE(parsed(text)) << text;
  }
}

}  // namespace
}  // namespace atlas::http
