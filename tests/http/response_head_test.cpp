#include <atlas/http/response_head.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::http {
namespace {

using Kind = HeaderFault::Kind;
using Fields = std::vector<Header>;

constexpr ServerFields server_fields{.date_line = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                                     .server_line = "server: atlas\r\n"};

std::string written(const ResponseHead& head, ResponseFacts facts, const ServerFields& added) {
  ByteBuffer out;
  facts.wishes = head.wishes();
  head.append_to(out, choose_framing(facts), facts.version, added);
  return std::string(out.view());
}

std::string head_of(const Fields& fields, const ResponseFacts& facts,
                    const ServerFields& added = server_fields) {
  ResponseHead head;
  EXPECT_EQ(head.hold(facts.status, fields), std::nullopt);
  return written(head, facts, added);
}

TEST(ResponseHead, WritesHeadOfKnownLength) {
  const std::vector<Header> headers{{"content-type", "text/plain"}, {"x-a", ""}};
  EXPECT_EQ(head_of(headers, {.body_bytes = 13}),
            "HTTP/1.1 200 OK\r\n"
            "content-type: text/plain\r\n"
            "x-a: \r\n"
            "content-length: 13\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "server: atlas\r\n"
            "\r\n");
}

TEST(ResponseHead, WritesNamesAndValuesOfAnyLength) {
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string text = std::string("abcdefghijklmnopqrstuvwxyz0123456789ABCD").substr(0, size);
    const std::vector<Header> headers{{text, text}};
    EXPECT_EQ(head_of(headers, {.body_bytes = 0}, {}),
              "HTTP/1.1 200 OK\r\n" + text + ": " + text + "\r\ncontent-length: 0\r\n\r\n");
  }
}

TEST(ResponseHead, WritesHeadOfUnknownLength) {
  EXPECT_EQ(head_of({}, {.status = 404}),
            "HTTP/1.1 404 Not Found\r\n"
            "transfer-encoding: chunked\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "server: atlas\r\n"
            "\r\n");
}

TEST(ResponseHead, SaysWhenItCloses) {
  EXPECT_EQ(head_of({}, {.keep_alive = false, .body_bytes = 0}, {}),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(ResponseHead, TellsHttp10ToKeepAlive) {
  EXPECT_EQ(head_of({}, {.version = http_1_0, .body_bytes = 0}, {}),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
}

TEST(ResponseHead, OwnsTheFramingFields) {
  const std::vector<Header> headers{
      {"Transfer-Encoding", "gzip"}, {"Connection", "upgrade"}, {"Content-Length", "007"}};
  EXPECT_EQ(head_of(headers, {}, {}), "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
}

TEST(ResponseHead, UpgradeIsNamedInConnection) {
  const std::vector<Header> headers{{"Upgrade", "a/2"}};
  EXPECT_EQ(head_of(headers, {.keep_alive = false, .status = 426, .body_bytes = 0}, {}),
            "HTTP/1.1 426 Upgrade Required\r\nUpgrade: a/2\r\ncontent-length: 0\r\nconnection: close\r\n"
            "connection: upgrade\r\n\r\n");
}

TEST(ResponseHead, ApplicationMayGiveDateAndServer) {
  const std::vector<Header> headers{{"Date", "today"}, {"Server", "mine"}};
  EXPECT_EQ(head_of(headers, {.body_bytes = 0}),
            "HTTP/1.1 200 OK\r\nDate: today\r\nServer: mine\r\ncontent-length: 0\r\n\r\n");
}

TEST(ResponseHead, TimingStandsBesideTheApplicationsOwn) {
  const std::string timing = "server-timing: " + std::string(1000, 'x') + "\r\n";
  const std::vector<Header> headers{{"server-timing", "db"}};
  EXPECT_EQ(head_of(headers, {.body_bytes = 0}, {.timing_line = timing}),
            "HTTP/1.1 200 OK\r\nserver-timing: db\r\ncontent-length: 0\r\n" + timing + "\r\n");
}

TEST(ResponseHead, UnregisteredStatusHasNoPhrase) {
  EXPECT_TRUE(head_of({}, {.status = 599}).starts_with("HTTP/1.1 599 \r\n"));
}

TEST(ResponseHead, LongestAddedFieldsFit) {
  ResponseHead head;
  ASSERT_EQ(head.hold(200, Fields{{"upgrade", "a"}}), std::nullopt);
  ByteBuffer out;
  const ResponseFraming framing{.content_length = UINT64_MAX, .transfer_chunked = true, .keep_alive = true};
  head.append_to(out, framing, http_1_0, server_fields);
  EXPECT_TRUE(out.view().ends_with("server: atlas\r\n\r\n"));
}

TEST(ResponseHead, IsAppendedBehindWhatIsThere) {
  ResponseHead head;
  ASSERT_EQ(head.hold(204, {}), std::nullopt);
  ByteBuffer out;
  out.append("before ");
  head.append_to(out, {.keep_alive = true}, http_1_1, {});
  EXPECT_EQ(out.view(), "before HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(ResponseHead, NamesMustBeTokens) {
  for (std::string_view name : {"", "a b", "a:", "a\r\nb", "\xE4"}) {
    EXPECT_EQ(ResponseHead().hold(200, Fields{{"a", "b"}, {name, "c"}}), (HeaderFault{Kind::bad_name, 1}))
        << name;
  }
}

TEST(ResponseHead, ValuesMayNotSplitTheResponse) {
  for (std::string_view value :
       {std::string_view("a\r\nb: c"), std::string_view("a\n"), std::string_view("\0", 1)}) {
    EXPECT_EQ(ResponseHead().hold(200, Fields{{"a", value}}), (HeaderFault{Kind::bad_value, 0})) << value;
  }
}

TEST(ResponseHead, ValuesOfFramingFieldsMayNotEither) {
  for (std::string_view name : {"connection", "transfer-encoding", "content-length"}) {
    EXPECT_EQ(ResponseHead().hold(200, Fields{{name, "5\n"}}), (HeaderFault{Kind::bad_value, 0})) << name;
  }
}

TEST(ResponseHead, LengthMustBeANumber) {
  for (std::string_view value : {"", "x", "+5", "-1", "5 ", "5,5", "5/", "5:", "1234567890123456789"}) {
    EXPECT_EQ(ResponseHead().hold(200, Fields{{"Content-Length", value}}),
              (HeaderFault{Kind::bad_content_length, 0}))
        << value;
  }
}

TEST(ResponseHead, LengthMayNotRepeat) {
  EXPECT_EQ(ResponseHead().hold(200, Fields{{"content-length", "0"}, {"Content-Length", "0"}}),
            (HeaderFault{Kind::repeated_content_length, 1}));
}

TEST(ResponseHead, FirstFaultIsTheOneAnswered) {
  EXPECT_EQ(ResponseHead().hold(200, Fields{{"x", ""}, {"content-length", "?"}, {"", "y"}}),
            (HeaderFault{Kind::bad_content_length, 1}));
}

TEST(ResponseHead, LongestLengthIsRead) {
  ResponseHead head;
  ASSERT_EQ(head.hold(200, Fields{{"Content-Length", "999999999999999999"}}), std::nullopt);
  EXPECT_EQ(head.wishes().content_length, 999'999'999'999'999'999U);
}

TEST(ResponseHead, WishToCloseIsFoundInAnyList) {
  const auto wants_close = [](const Fields& fields) {
    ResponseHead head;
    EXPECT_EQ(head.hold(200, fields), std::nullopt);
    return head.wishes().close;
  };
  EXPECT_TRUE(wants_close({{"Connection", "x, Close"}}));
  EXPECT_TRUE(wants_close({{"connection", "close"}, {"connection", "x"}}));
  EXPECT_FALSE(wants_close({{"connection", "keep-alive"}}));
  EXPECT_FALSE(wants_close({{"connections", "close"}}));
}

TEST(ResponseHead, NothingElseIsWished) {
  ResponseHead head;
  ASSERT_EQ(head.hold(200, Fields{{"content-type", "text/plain"}, {"transfer-encoding", "gzip"}}),
            std::nullopt);
  EXPECT_EQ(head.wishes().content_length, std::nullopt);
  EXPECT_FALSE(head.wishes().close);
}

TEST(ResponseHead, AnotherTakesThePlaceOfTheHeldOne) {
  ResponseHead head;
  const Fields first{{"content-length", "5"}, {"connection", "close"}, {"date", "today"}, {"server", "mine"}};
  ASSERT_EQ(head.hold(404, first), std::nullopt);
  ASSERT_EQ(head.hold(200, Fields{{"x-a", "b"}}), std::nullopt);
  EXPECT_EQ(written(head, {.body_bytes = 0}, server_fields),
            "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 0\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: atlas\r\n\r\n");
}

TEST(ResponseHead, AnotherTakesThePlaceOfAFaultyOne) {
  ResponseHead head;
  ASSERT_NE(head.hold(404, Fields{{"content-length", "5"}, {"x-a", "\n"}}), std::nullopt);
  EXPECT_EQ(head.hold(200, {}), std::nullopt);
  EXPECT_EQ(written(head, {.body_bytes = 0}, {}), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

TEST(ResponseHead, DoesNotReferToTheFields) {
  ResponseHead head;
  std::string name = "x-name";
  std::string value = "a value that is too long to be kept inside of a string object";
  ASSERT_EQ(head.hold(200, Fields{{name, value}}), std::nullopt);
  name.assign(name.size(), '?');
  value.assign(value.size(), '?');
  EXPECT_EQ(written(head, {.body_bytes = 0}, {}),
            "HTTP/1.1 200 OK\r\nx-name: a value that is too long to be kept inside of a string object\r\n"
            "content-length: 0\r\n\r\n");
}

TEST(ResponseHeadDeathTest, WhatIsNotHeldCannotBeAppended) {
  ResponseHead head;
  ByteBuffer out;
  EXPECT_DEATH(head.append_to(out, {}, http_1_1, {}), "ResponseHead: no head is held");
  ASSERT_NE(head.hold(200, Fields{{"", ""}}), std::nullopt);
  EXPECT_DEATH(head.append_to(out, {}, http_1_1, {}), "ResponseHead: no head is held");
}

// What a head that held something else before writes for these fields.
std::string head_after(const Fields& before, const Fields& fields, int status_before = 200) {
  ResponseHead head;
  static_cast<void>(head.hold(status_before, before));
  EXPECT_EQ(head.hold(200, fields), std::nullopt);
  return written(head, {.body_bytes = 1}, server_fields);
}

// One more than a head compares.
Fields nine_fields(std::string_view last_value) {
  constexpr std::string_view values = "12345678";
  Fields fields;
  for (std::size_t i = 0; i < values.size(); ++i) fields.push_back({"x", values.substr(i, 1)});
  fields.push_back({"x", last_value});
  return fields;
}

TEST(ResponseHead, NothingOfTheLastResponseIsLeft) {
  const std::vector<Fields> all{
      {},
      {{"content-type", "text/plain"}},
      {{"content-type", "text/html"}},
      {{"content-typf", "text/plain"}},
      {{"content-type", "text/plain"}, {"x-a", ""}, {"x-b", "b"}},
      {{"content-type", "text/plain"}, {"x-a", "a"}, {"x-b", "b"}},
      {{"content-type", "text/plain"}, {"connection", "close"}, {"x-b", "b"}},
      {{"content-length", "1"}, {"content-type", "text/plain"}},
      {{"content-length", "2"}, {"content-type", "text/plain"}},
      {{"date", "d"}, {"server", "s"}, {"upgrade", "u"}},
      {{"date", "d"}, {"server", "s"}},
      {{"Date", "d"}},
      nine_fields("9"),
      nine_fields("0"),
      {{"bad name", "refused"}},
      {{"x", "1"}, {"bad", "value\n"}},
  };
  for (const auto& before : all) {
    for (const auto& fields : all) {
      if (ResponseHead().hold(200, fields)) continue;
      const auto fresh = head_of(fields, {.body_bytes = 1});
      EXPECT_EQ(head_after(before, fields), fresh);
      EXPECT_EQ(head_after(before, fields, 404), fresh);
    }
  }
}

TEST(ResponseHead, FieldThatOnlySpellsALineOfTheLastResponseIsRefused) {
  ResponseHead head;
  ASSERT_EQ(head.hold(200, Fields{{"a", "b: c"}}), std::nullopt);
  EXPECT_EQ(head.hold(200, Fields{{"a: b", "c"}}), (HeaderFault{Kind::bad_name, 0}));
}

TEST(ResponseHead, FaultBehindLinesOfTheLastResponseIsFound) {
  ResponseHead head;
  ASSERT_EQ(head.hold(200, Fields{{"a", "b"}}), std::nullopt);
  EXPECT_EQ(head.hold(200, Fields{{"a", "b"}, {"c", "d\r"}}), (HeaderFault{Kind::bad_value, 1}));
  EXPECT_EQ(head.hold(200, Fields{{"a", "b\r"}}), (HeaderFault{Kind::bad_value, 0}));
}

}  // namespace
}  // namespace atlas::http
