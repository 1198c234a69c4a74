// JSON as values: what is read, what is refused and where, and what is written.
#include <atlas/asgi/toolkit/json.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atlas::json_test {
namespace {

using namespace asgi;
using namespace std::string_view_literals;

std::string round_trip(std::string_view text) { return Json::parse(text).to_text(); }

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  try {
    static_cast<void>(Json::parse(text, limits));
    return "none";
  } catch (const JsonError& error) {
    return error.what();
  }
}

TEST(Json, EachKindIsReadAndWritten) {
  for (const auto text :
       {"null"sv, "true"sv, "false"sv, "0"sv, "-1"sv, "1.5"sv, "\"\""sv, "\"a\\n\\u0001\\\"\\\\\""sv, "[]"sv,
        "{}"sv, "[1,[2,{\"a\":[]}],null]"sv, "{\"b\":1,\"a\":{\"c\":\"d\"}}"sv}) {
    EXPECT_EQ(round_trip(text), text);
  }
  EXPECT_EQ(round_trip(" { \"a\" : [ 1 , 2 ] } \n"), R"({"a":[1,2]})");
}

TEST(Json, NumbersKeepTheirValue) {
  for (const auto text :
       {"9223372036854775807"sv, "-9223372036854775808"sv, "18446744073709551615"sv, "0.1"sv, "1e-07"sv,
        "1e+300"sv, "1.7976931348623157e+308"sv, "5e-324"sv, "-0.0"sv, "3.0"sv}) {
    EXPECT_EQ(round_trip(text), text);
  }
  EXPECT_EQ(Json::parse("18446744073709551616").number(), 18446744073709551616.0);
  EXPECT_EQ(refusal("1e400"), "line 1, column 5: number overflow parsing '1e400'");
}

TEST(Json, WholeNumbersAreToldFromOthers) {
  EXPECT_EQ(Json::parse("3.0").integer(), 3);
  EXPECT_FALSE(Json::parse("3.0").is_integer());
  EXPECT_EQ(Json::parse("3.5").integer(), std::nullopt);
  EXPECT_EQ(Json::parse("-1").unsigned_integer(), std::nullopt);
  EXPECT_EQ(Json::parse("18446744073709551615").integer(), std::nullopt);
  EXPECT_EQ(Json::parse("18446744073709551615").unsigned_integer(), UINT64_MAX);
  EXPECT_EQ(Json::parse("9223372036854775808.0").integer(), std::nullopt);
  EXPECT_EQ(Json::parse("-9223372036854775808.0").integer(), INT64_MIN);
  EXPECT_EQ(Json("1").integer(), std::nullopt);
}

TEST(Json, EscapesAreCharacters) {
  EXPECT_EQ(Json::parse(R"("\u00e9\ud83d\ude00\/\b\f")").text(), "\xc3\xa9\xf0\x9f\x98\x80/\b\f");
  EXPECT_EQ(Json::parse("\"\\u0000\"").text(), "\0"sv);
}

TEST(Json, WhatIsNoJsonIsRefusedWithItsPlace) {
  EXPECT_EQ(refusal("{\n  \"a\": 1,\n  b\n}"),
            "line 3, column 3: syntax error while parsing object key - invalid literal");
  EXPECT_EQ(
      refusal("[1,]"),
      "line 1, column 4: syntax error while parsing value - unexpected ']'; expected '[', '{', or a literal");
  EXPECT_EQ(refusal(""),
            "line 1, column 1: syntax error while parsing value - unexpected end of input; expected '[', "
            "'{', or a literal");
  EXPECT_EQ(refusal("1 2"),
            "line 1, column 3: syntax error while parsing value - unexpected number literal; expected end of "
            "input");
  EXPECT_EQ(refusal("[1,\0]"sv), "line 1, column 4: a NUL");
  for (const auto text : {"nul"sv,
                          "tru"sv,
                          "01"sv,
                          "+1"sv,
                          ".5"sv,
                          "1."sv,
                          "0x1"sv,
                          "NaN"sv,
                          "Infinity"sv,
                          "'a'"sv,
                          "[1 2]"sv,
                          "{\"a\" 1}"sv,
                          "{\"a\":}"sv,
                          "{1:2}"sv,
                          "[1"sv,
                          "{\"a\":1"sv,
                          "\"a"sv,
                          "\"\n\""sv,
                          "\"\\x\""sv,
                          "\"\\u12\""sv,
                          "// x\n1"sv,
                          "[1]]"sv,
                          "\xef\xbb\xbf{}"sv,
                          "[1]\0"sv,
                          "\0[1]"sv,
                          "[\0]"sv,
                          "\"a\0\""sv}) {
    EXPECT_NE(refusal(text), "none") << text;
  }
}

TEST(Json, WhatIsNotUtf8IsRefused) {
  for (const auto text : {"\"\xff\""sv, "\"\xc3\""sv, "\"\xc0\xaf\""sv, "\"\xed\xa0\x80\""sv, "\"\\ud800\""sv,
                          "\"\\ud800\\u0041\""sv, "\"\\udc00\""sv, "{\"\xff\":1}"sv}) {
    EXPECT_NE(refusal(text), "none") << text;
  }
}

TEST(Json, DepthHasALimit) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(refusal(nested(64)), "none");
  EXPECT_NE(refusal(nested(65)).find("too many arrays and objects within one another"), std::string::npos);
  EXPECT_NE(refusal(std::string(1'000'000, '[')).find("too many arrays"), std::string::npos);
  EXPECT_NE(refusal(std::string(10'000, '{')).find("syntax error while parsing object key"),
            std::string::npos);
}

TEST(Json, DepthThatWasAllowedHarmsNobody) {
  constexpr std::size_t depth = 200'000;
  auto json = Json::parse(std::string(depth, '[') + std::string(depth, ']'), {.depth_max = depth});
  EXPECT_EQ(json.to_text().size(), 2 * depth);
  auto moved = std::move(json);
}

TEST(Json, ANameTwiceIsRefused) {
  EXPECT_NE(refusal(R"({"a":1,"b":2,"a":3})").find("a name that the object has already"), std::string::npos);
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"n" + std::to_string(i) + "\":0,";
  EXPECT_EQ(refusal(many + "\"last\":0}"), "none");
  EXPECT_NE(refusal(many + "\"n7\":0}").find("a name that the object has already"), std::string::npos);
}

TEST(Json, ABigObjectIsReadInTimeThatItsSizeAllows) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) text += "\"name" + std::to_string(i) + "\":0,";
  EXPECT_EQ(Json::parse(text + "\"last\":1}").size(),
            50'001U);  // minutes, if each name were looked for among all
}

TEST(Json, ValuesAreBuiltByHand) {
  Json note{{"title", "Milk"}, {"stars", 5}, {"tags", Json::Array{"shop", nullptr, 1.5, true}}};
  note["done"] = false;
  note["stars"] = 4U;
  note["more"]["deep"].push_back("x");
  EXPECT_EQ(note.to_text(),
            R"({"title":"Milk","stars":4,"tags":["shop",null,1.5,true],"done":false,"more":{"deep":["x"]}})");
  EXPECT_EQ(note.find("title")->text(), "Milk");
  EXPECT_EQ(note.find("nothing"), nullptr);
  EXPECT_EQ(Json(1).find("a"), nullptr);
  EXPECT_EQ(note.size(), 5U);
}

TEST(Json, ValuesCompare) {
  EXPECT_EQ(Json::parse(R"({"a":[1,2]})"), (Json{{"a", Json::Array{1, 2}}}));
  EXPECT_NE(Json(1), Json("1"));
  EXPECT_NE(Json(), Json(false));
}

TEST(Json, AnotherKindThanAskedForThrows) {
  try {
    static_cast<void>(Json(7).text());
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "a JSON value is a whole number, not text");
  }
  EXPECT_THROW(static_cast<void>(Json("7").number()), std::logic_error);
  EXPECT_THROW(Json(7).push_back(1), std::logic_error);
  EXPECT_THROW(Json(7)["a"], std::logic_error);
}

TEST(Json, WhatCannotBeWrittenThrows) {
  EXPECT_THROW(static_cast<void>(Json(std::numeric_limits<double>::infinity()).to_text()),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(Json(std::nan("")).to_text()), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(Json("\xff").to_text()), std::invalid_argument);
}

TEST(Json, PrettyTextHasALineForEachValue) {
  EXPECT_EQ(Json::parse(R"({"a":[1,"x"],"b":{}})").to_pretty_text(),
            "{\n  \"a\": [\n    1,\n    \"x\"\n  ],\n  \"b\": {}\n}");
}

}  // namespace
}  // namespace atlas::json_test
