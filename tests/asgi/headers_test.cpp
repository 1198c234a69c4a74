#include <atlas/asgi/headers.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace atlas::asgi {
namespace {

std::string text_of(const Headers& headers) {
  std::string text;
  for (const auto& field : headers.view())
    text.append(field.name).append(": ").append(field.value).append("\n");
  return text;
}

Headers numbered(int count) {
  Headers headers;
  for (int i = 0; i < count; ++i) headers.add("name-" + std::to_string(i), std::to_string(i));
  return headers;
}

std::string numbered_text(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "name-" + std::to_string(i) + ": " + std::to_string(i) + "\n";
  return text;
}

TEST(Headers, KeepOrderAndDuplicates) {
  Headers headers{{"b", "1"}, {"a", "2"}};
  headers.add("b", "3");
  EXPECT_EQ(text_of(headers), "b: 1\na: 2\nb: 3\n");
  EXPECT_EQ(headers.size(), 3U);
}

TEST(Headers, ReferToLiterals) {
  static constexpr char value[] = "text/plain";
  const Headers headers{{"content-type", value}};
  EXPECT_EQ(static_cast<const void*>(headers.view()[0].value.data()), static_cast<const void*>(value));
}

TEST(Headers, CopyStringsAndViews) {
  Headers headers;
  {
    std::string name = "x-name";
    std::string value = "value that is too long to be kept inside of a string object";
    headers.add(name, std::string_view(value));
    name.assign(name.size(), '?');
    value.assign(value.size(), '?');
  }
  EXPECT_EQ(text_of(headers), "x-name: value that is too long to be kept inside of a string object\n");
}

TEST(Headers, CopyWhatLiesInABufferThatMayChange) {
  char buffer[] = "first";
  Headers headers;
  headers.add("x", buffer);
  buffer[0] = '?';
  EXPECT_EQ(text_of(headers), "x: first\n");
}

TEST(Headers, KeepEmptyValues) {
  Headers headers{{"literal", ""}};
  headers.add("string", std::string());
  EXPECT_EQ(text_of(Headers(headers)), "literal: \nstring: \n");
}

TEST(Headers, HoldMoreThanFitInline) {
  for (const int count : {7, 8, 9, 100}) EXPECT_EQ(text_of(numbered(count)), numbered_text(count));
}

TEST(Headers, CopyOutlivesItsSource) {
  for (const int count : {3, 20}) {
    auto source = std::make_unique<Headers>(numbered(count));
    const Headers copy(*source);
    source.reset();
    EXPECT_EQ(text_of(copy), numbered_text(count));
  }
}

TEST(Headers, MovedOnesAreEmpty) {
  for (const int count : {3, 20}) {
    Headers source = numbered(count);
    const Headers moved(std::move(source));
    EXPECT_EQ(text_of(moved), numbered_text(count));
    EXPECT_EQ(source.size(), 0U);  // NOLINT(bugprone-use-after-move)
    source.add("again", "yes");
    EXPECT_EQ(text_of(source), "again: yes\n");
  }
}

TEST(Headers, AssignmentReplaces) {
  Headers headers = numbered(20);
  headers = numbered(2);
  EXPECT_EQ(text_of(headers), numbered_text(2));
  const Headers other = numbered(9);
  headers = other;
  EXPECT_EQ(text_of(headers), numbered_text(9));
  EXPECT_EQ(text_of(other), numbered_text(9));
}

TEST(Headers, AppendCopiesTheOthers) {
  Headers headers = numbered(6);
  {
    const Headers more{{"literal", "yes"}, {std::string("string"), std::string("too")}, {"c", "3"}};
    headers.append(more);
  }
  EXPECT_EQ(text_of(headers), numbered_text(6) + "literal: yes\nstring: too\nc: 3\n");
}

TEST(Headers, MayBeAppendedToThemselves) {
  for (const int count : {3, 8, 20}) {
    Headers headers = numbered(count);
    headers.append(headers);
    EXPECT_EQ(text_of(headers), numbered_text(count) + numbered_text(count));
  }
}

TEST(Headers, ClearForgetsAll) {
  Headers headers = numbered(20);
  headers.clear();
  EXPECT_EQ(headers.size(), 0U);
  EXPECT_TRUE(headers.view().empty());
  headers.add("a", "b");
  EXPECT_EQ(text_of(headers), "a: b\n");
}

TEST(Headers, OfAViewAreCopied) {
  std::string value = "value";
  const std::vector<http::Header> fields{{"name", value}};
  const Headers headers{http::HeadersView(fields)};
  value = "other";
  EXPECT_EQ(text_of(headers), "name: value\n");
}

}  // namespace
}  // namespace atlas::asgi
