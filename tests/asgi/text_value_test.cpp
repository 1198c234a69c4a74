// Values out of text that a client has sent.
#include <atlas/asgi/toolkit/text_value.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

namespace atlas::text_value_test {
namespace {

using namespace asgi;
using namespace std::string_view_literals;

TEST(TextValue, WholeNumbersAreReadAtTheirLimitsAndNotBeyond) {
  EXPECT_EQ(TextValue<std::int8_t>::parse("127"), std::int8_t{127});
  EXPECT_EQ(TextValue<std::int8_t>::parse("-128"), std::int8_t{-128});
  EXPECT_FALSE(TextValue<std::int8_t>::parse("128"));
  EXPECT_FALSE(TextValue<std::int8_t>::parse("-129"));
  EXPECT_EQ(TextValue<std::uint64_t>::parse("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(TextValue<std::uint64_t>::parse("18446744073709551616"));
}

TEST(TextValue, WholeNumbersAreDecimalDigitsAndNothingElse) {
  for (const auto text : {""sv, " 1"sv, "1 "sv, "+1"sv, "0x1"sv, "1.0"sv, "1e3"sv, "--1"sv, "-"sv, "1\0"sv}) {
    EXPECT_FALSE(TextValue<int>::parse(text)) << text;
  }
  EXPECT_FALSE(TextValue<unsigned>::parse("-1"));
}

TEST(TextValue, NumbersAreFinite) {
  EXPECT_EQ(TextValue<double>::parse("-2.5e3"), -2500.0);
  for (const std::string_view text : {"", "inf", "nan", "1e999", "1,5", "0x1p3", " 1"}) {
    EXPECT_FALSE(TextValue<double>::parse(text)) << text;
  }
}

TEST(TextValue, TruthHasTwoSpellings) {
  EXPECT_EQ(TextValue<bool>::parse("true"), true);
  EXPECT_EQ(TextValue<bool>::parse("1"), true);
  EXPECT_EQ(TextValue<bool>::parse("false"), false);
  EXPECT_EQ(TextValue<bool>::parse("0"), false);
  for (const std::string_view text : {"", "TRUE", "yes", "2"})
    EXPECT_FALSE(TextValue<bool>::parse(text)) << text;
}

}  // namespace
}  // namespace atlas::text_value_test
