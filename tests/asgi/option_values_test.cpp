#include <atlas/asgi/option_values.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

/// What the refusal says; empty when there is none.
template <class Parse>
std::string refusal(Parse parse) {
  try {
    static_cast<void>(parse());
    return {};
  } catch (const BadValue& error) {
    return error.what();
  }
}

TEST(OptionValues, WholeNumbersAreTakenFromOneEndOfTheRangeToTheOther) {
  EXPECT_EQ(parse_whole_number("2", {2, 10}), 2U);
  EXPECT_EQ(parse_whole_number("10", {2, 10}), 10U);
  EXPECT_EQ(parse_whole_number("18446744073709551615", {0, UINT64_MAX}), UINT64_MAX);
}

TEST(OptionValues, WholeNumbersOutsideOfTheRangeAreRefusedWithTheRange) {
  for (const auto* text : {"1", "11", "99999999999999999999999"}) {
    EXPECT_EQ(refusal([&] { return parse_whole_number(text, {2, 10}); }), "not in 2 to 10") << text;
  }
}

TEST(OptionValues, WhatIsNotAllDigitsIsNotAWholeNumber) {
  for (const auto* text : {"", " ", "-1", "+1", "1 ", " 1", "1.0", "0x10", "1e3", "ten", "1k"}) {
    EXPECT_EQ(refusal([&] { return parse_whole_number(text, {0, 100}); }), "not a whole number") << text;
  }
}

TEST(OptionValues, SizesCountInPowersOf1024) {
  constexpr Range<std::uint64_t> any = {0, UINT64_MAX};
  EXPECT_EQ(parse_size("500", any), 500U);
  EXPECT_EQ(parse_size("64k", any), 64U * 1024);
  EXPECT_EQ(parse_size("64K", any), 64U * 1024);
  EXPECT_EQ(parse_size("16M", any), 16U * 1024 * 1024);
  EXPECT_EQ(parse_size("2g", any), 2ULL * 1024 * 1024 * 1024);
}

TEST(OptionValues, SizesOutsideOfTheRangeAreRefusedWithTheRange) {
  constexpr Range<std::uint64_t> range = {1024, 2048};
  EXPECT_EQ(parse_size("1k", range), 1024U);
  EXPECT_EQ(parse_size("2k", range), 2048U);
  for (const auto* text : {"1023", "2049", "3k", "0", "17179869184G", "99999999999999999999999k"}) {
    EXPECT_EQ(refusal([&] { return parse_size(text, range); }), "not in 1k to 2k") << text;
  }
}

TEST(OptionValues, WhatIsNotANumberAndAUnitIsNotASize) {
  for (const auto* text : {"", "k", "kk", "1kk", "1T", "-1k", "1.5k", "1 k", "k1", "1kB"}) {
    EXPECT_EQ(refusal([&] {
                return parse_size(text, {0, UINT64_MAX});
              }),
              "not a size (like 500, 64k, 16M or 1G)")
        << text;
  }
}

TEST(OptionValues, DurationsHaveAUnitOrAreSeconds) {
  constexpr Range<Duration> any = {0s, 24h};
  EXPECT_EQ(parse_duration("500ms", any), 500ms);
  EXPECT_EQ(parse_duration("10s", any), 10s);
  EXPECT_EQ(parse_duration("10", any), 10s);
  EXPECT_EQ(parse_duration("2m", any), 2min);
  EXPECT_EQ(parse_duration("1h", any), 1h);
  EXPECT_EQ(parse_duration("1.5s", any), 1500ms);
  EXPECT_EQ(parse_duration("0.25", any), 250ms);
  EXPECT_EQ(parse_duration("0.5m", any), 30s);
  EXPECT_EQ(parse_duration("0", any), 0s);
}

TEST(OptionValues, DurationsOutsideOfTheRangeAreRefusedWithTheRange) {
  constexpr Range<Duration> range = {1ms, 24h};
  EXPECT_EQ(parse_duration("1ms", range), 1ms);
  EXPECT_EQ(parse_duration("24h", range), 24h);
  for (const std::string text : {"0", "0.5ms", "24.01h", "86401", "100000000000000000000000"}) {
    EXPECT_EQ(refusal([&] { return parse_duration(text, range); }), "not in 1ms to 24h") << text;
  }
}

TEST(OptionValues, WhatIsNotANumberAndAUnitIsNotADuration) {
  for (const auto* text :
       {"", "s", "ms", ".", "1d", "1us", "-1s", "+1s", "1 s", "1e3", "inf", "nan", "1.2.3", "1s1s", "1S"}) {
    EXPECT_EQ(refusal([&] {
                return parse_duration(text, {0s, 24h});
              }),
              "not a duration (like 500ms, 10s, 2m or 1h)")
        << text;
  }
}

TEST(OptionValues, TextsAreTheShortestThatAreReadBack) {
  EXPECT_EQ(size_text(0), "0");
  EXPECT_EQ(size_text(1000), "1000");
  EXPECT_EQ(size_text(65536), "64k");
  EXPECT_EQ(size_text(std::uint64_t{1} << 30), "1G");
  EXPECT_EQ(duration_text(0s), "0s");
  EXPECT_EQ(duration_text(500ms), "500ms");
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(120s), "2m");
  EXPECT_EQ(duration_text(24h), "24h");
}

TEST(OptionValues, ControlCharactersDoNotReachAMessage) {
  EXPECT_EQ(on_one_line("a\nb\tc\x7f\x1b[0m \u00e9"), "a\\x0ab\\x09c\\x7f\\x1b[0m \u00e9");
}

}  // namespace
}  // namespace atlas::asgi
