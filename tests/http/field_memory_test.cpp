// A field section that comes again is not read again, and says the same.
#include <atlas/http/field_memory.hpp>

#include <atlas/http/request_parser.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::http {
namespace {

std::string text_of(const RequestHead& head) {
  std::string text = fmt::format("{}.{} @{} length {} framing {}", head.version.major, head.version.minor,
                                 head.host, head.content_length, static_cast<int>(head.body_framing));
  for (const Header& field : head.headers) text += fmt::format(" [{}={}]", field.name, field.value);
  if (head.keep_alive) text += " keep-alive";
  if (head.upgrade) text += " upgrade";
  if (head.expect_continue) text += " expect";
  if (head.accepts_trailers) text += " trailers";
  return text;
}

/// A parser that serves one connection.
class Parser {
 public:
  /// What it says of a head that comes in one piece; the error, if it refuses it.
  std::string read(std::string_view head) {
    bytes_ = head;
    parser_.reset();
    const auto step = parser_.parse(bytes_);
    if (step.event == ParseEvent::error) return std::string(parser_.error().reason);
    EXPECT_EQ(step.event, ParseEvent::head);
    EXPECT_EQ(step.consumed, head.find("\r\n\r\n") + 4);
    return text_of(parser_.head());
  }
  /// Whether the fields of the last head were looked up: they are no views of its bytes.
  [[nodiscard]] bool recalled() const {
    const char* name = parser_.head().headers[0].name.data();
    return name < bytes_.data() || name >= bytes_.data() + bytes_.size();
  }

 private:
  const Limits limits_{};
  RequestParser parser_{limits_};
  std::string bytes_;
};

std::string read_by_fresh_parser(std::string_view head) { return Parser().read(head); }

TEST(FieldMemory, SectionThatComesAgainSaysTheSame) {
  constexpr std::string_view sections[] = {
      "Host: h\r\n\r\n",
      "HOST:\t h:80 \r\nX-One:\r\nAccept: a, b\r\nConnection: close\r\n\r\n",
      "Host: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
      "Host: h\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nConnection: upgrade, TE\r\nUpgrade: "
      "x\r\n\r\n",
  };
  Parser parser;
  for (const auto section : sections) {
    const auto first = fmt::format("POST /first HTTP/1.1\r\n{}", section);
    const auto second = fmt::format("PUT /second?q HTTP/1.1\r\n{}body", section);
    const std::string said = read_by_fresh_parser(first);
    EXPECT_EQ(parser.read(first), said);
    EXPECT_FALSE(parser.recalled());
    EXPECT_EQ(parser.read(second), said);
    EXPECT_TRUE(parser.recalled());
    EXPECT_EQ(parser.read(first), said);
    EXPECT_TRUE(parser.recalled());
  }
}

TEST(FieldMemory, SectionThatDiffersInOneByteIsReadAnew) {
  constexpr std::string_view head = "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nA: b\r\n\r\n";
  const std::size_t section_begin = head.find("Host");
  for (std::size_t at = section_begin; at < head.size() - 4; ++at) {
    Parser parser;
    parser.read(head);
    std::string other(head);
    other[at] = other[at] == 'x' ? 'y' : 'x';
    EXPECT_EQ(parser.read(other), read_by_fresh_parser(other)) << other;
  }
}

TEST(FieldMemory, LongerSectionThatBeginsAlikeIsReadAnew) {
  Parser parser;
  parser.read("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(parser.read("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n"),
            "1.1 @h length 0 framing 0 [host=h] [a=b] keep-alive");
}

TEST(FieldMemory, SectionSaysWhatItDoesForItsVersion) {
  constexpr std::string_view section = "Host: h\r\nConnection: keep-alive\r\nTE: trailers\r\n\r\n";
  Parser parser;
  for (const auto version : {"1.1", "1.0", "1.1"}) {
    const auto head = fmt::format("GET / HTTP/{}\r\n{}", version, section);
    EXPECT_EQ(parser.read(head), read_by_fresh_parser(head));
    EXPECT_FALSE(parser.recalled());
  }
  parser.read("GET / HTTP/1.0\r\nA: b\r\n\r\n");
  EXPECT_EQ(parser.read("GET / HTTP/1.1\r\nA: b\r\n\r\n"), "Host is missing");
}

TEST(FieldMemory, HostIsHeldAgainstTheTargetEachTime) {
  Parser parser;
  parser.read("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(parser.read("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n"),
            "Host and the request target disagree");
  EXPECT_EQ(parser.read("GET http://h:80/ HTTP/1.1\r\nHost: h\r\n\r\n"),
            "1.1 @h:80 length 0 framing 0 [host=h] keep-alive");
  EXPECT_EQ(parser.read("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            "1.1 @h length 0 framing 0 [host=h] keep-alive");
}

TEST(FieldMemory, RefusedSectionIsRefusedAgain) {
  for (const std::string_view head : {"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
                                      "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n"}) {
    Parser parser;
    const std::string refusal = parser.read(head);
    EXPECT_EQ(refusal, read_by_fresh_parser(head));
    EXPECT_EQ(parser.read(head), refusal);
  }
}

TEST(FieldMemory, BodyOverTheLimitIsRefusedAgain) {
  Parser parser;
  constexpr std::string_view head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n";
  EXPECT_EQ(parser.read(head), "declared body is too large");
  EXPECT_EQ(parser.read(head), "declared body is too large");
}

TEST(FieldMemory, LongSectionIsNotRemembered) {
  Parser parser;
  const auto head = fmt::format("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n\r\n", std::string(1024, 'a'));
  const std::string said = parser.read(head);
  EXPECT_EQ(parser.read(head), said);
  EXPECT_FALSE(parser.recalled());
}

TEST(FieldMemory, HeadInPiecesLeavesItAlone) {
  const Limits limits;
  RequestParser parser(limits);
  std::string whole = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_EQ(parser.parse(whole).event, ParseEvent::head);
  parser.reset();
  std::string pieces = "GET / HTTP/1.1\r\nHost: i\r\n\r\n";
  ASSERT_EQ(parser.parse({pieces.data(), 20}).event, ParseEvent::need_more);
  ASSERT_EQ(parser.parse({pieces.data() + 20, pieces.size() - 20}).event, ParseEvent::head);
  EXPECT_EQ(parser.head().host, "i");
  parser.reset();
  std::string again = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_EQ(parser.parse(again).event, ParseEvent::head);
  EXPECT_EQ(parser.head().host, "h");
}

}  // namespace
}  // namespace atlas::http
