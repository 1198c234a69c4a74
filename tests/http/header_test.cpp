#include <atlas/http/header.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace atlas::http {
namespace {

using ::testing::ElementsAre;

constexpr std::array<Header, 4> fields{
    {{"accept", "a"}, {"via", "1"}, {"connection", "Keep-Alive , x"}, {"via", "2, Close"}}};

TEST(Header, ComparesWithoutCase) {
  EXPECT_TRUE(iequals("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("[", "{"));  // differ by the bit that makes letters differ in case
  EXPECT_FALSE(iequals("\xC0", "\xE0"));
}

TEST(Header, TokensAreOfRfc9110) {
  EXPECT_TRUE(is_token("azAZ09!#$%&'*+-.^_`|~"));
  EXPECT_FALSE(is_token(""));
  for (char c : std::string("\"(),/:;<=>?@[\\]{} \t\x7F\x80\0", 22))
    EXPECT_FALSE(is_token({&c, 1})) << int{c};
}

TEST(Header, FieldValuesHaveNoControls) {
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a b\tc\x80\xFF"));
  for (char c : std::string("\0\r\n\x01\x1F\x7F", 6)) EXPECT_FALSE(is_field_value({&c, 1})) << int{c};
}

TEST(Header, ListElementsAreTrimmed) {
  std::vector<std::string> elements;
  for_each_list_element(" a ,\tb,, c", [&](std::string_view element) { elements.emplace_back(element); });
  EXPECT_THAT(elements, ElementsAre("a", "b", "", "c"));
}

TEST(HeadersView, FindsTheFirstOfAName) {
  const HeadersView headers(fields);
  EXPECT_EQ(headers.find("via"), "1");
  EXPECT_EQ(headers.find("host"), std::nullopt);
  EXPECT_TRUE(headers.contains("accept"));
  EXPECT_FALSE(headers.contains("Accept"));
}

TEST(HeadersView, KeepsOrderAndDuplicates) {
  const HeadersView headers(fields);
  std::vector<std::string> values;
  headers.for_each("via", [&](std::string_view value) { values.emplace_back(value); });
  EXPECT_THAT(values, ElementsAre("1", "2, Close"));
  EXPECT_EQ(headers.count("via"), 2U);
  EXPECT_EQ(headers.size(), 4U);
  EXPECT_EQ(headers[2].name, "connection");
}

TEST(HeadersView, LooksForTokensInAllLinesOfAName) {
  const HeadersView headers(fields);
  EXPECT_TRUE(headers.has_token("via", "close"));
  EXPECT_TRUE(headers.has_token("connection", "keep-alive"));
  EXPECT_FALSE(headers.has_token("connection", "keep"));
  EXPECT_FALSE(headers.has_token("host", "close"));
}

TEST(HeadersView, MayBeEmpty) {
  const HeadersView headers;
  EXPECT_TRUE(headers.empty());
  EXPECT_EQ(headers.begin(), headers.end());
  EXPECT_EQ(headers.find("a"), std::nullopt);
}

}  // namespace
}  // namespace atlas::http
