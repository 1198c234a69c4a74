#include <atlas/http/request_parser.hpp>

#include "http/request_transcript.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::http {
namespace {

using testing::outcome;
using testing::transcribe;
using testing::transcribe_whole;

// A 1.1 request with the given header lines.
std::string with_fields(std::string_view lines, std::string_view method = "GET") {
  return std::string(method) + " / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

// Heads

TEST(RequestParser, HeadHasLineAndFields) {
  EXPECT_EQ(transcribe("GET /a/b?c=d&e HTTP/1.1\r\nHost: example.com\r\nX-One: 1\r\nx-one:2\r\n\r\n"),
            "head GET /a/b?c=d&e 1.1 @example.com [host=example.com] [x-one=1] [x-one=2] keep-alive\n"
            "complete\n");
}

TEST(RequestParser, HeadKeepsRawTargetAndLine) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes = "GET http://h:80/%41?b HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_EQ(parser.parse(bytes).event, ParseEvent::head);
  EXPECT_EQ(parser.head().request_line, "GET http://h:80/%41?b HTTP/1.1");
  EXPECT_EQ(parser.head().target, "http://h:80/%41?b");
  EXPECT_EQ(parser.head().path, "/%41");
  EXPECT_EQ(parser.head().method_id, Method::get);
}

TEST(RequestParser, HeadInOnePieceIsViewsOfTheCallersBytes) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_EQ(parser.parse(bytes).event, ParseEvent::head);
  EXPECT_EQ(parser.head().target.data(), bytes.data() + 4);
  EXPECT_EQ(parser.head().headers[0].name.data(), bytes.data() + 17);
}

TEST(RequestParser, NamesAreLoweredAndValuesTrimmed) {
  EXPECT_EQ(transcribe(with_fields("X-MiXeD_1:\t  Va Lue\t \r\n")),
            "head GET / 1.1 @h [host=h] [x-mixed_1=Va Lue] keep-alive\ncomplete\n");
}

TEST(RequestParser, EmptyValuesAreKept) {
  EXPECT_EQ(transcribe(with_fields("A:\r\nB: \t \r\nC: c\r\n")),
            "head GET / 1.1 @h [host=h] [a=] [b=] [c=c] keep-alive\ncomplete\n");
}

TEST(RequestParser, ObsoleteTextInValuesIsKept) {
  EXPECT_EQ(outcome(with_fields("A: \x80\xFF\r\n")), "complete");
}

TEST(RequestParser, VersionAndConnectionDecideKeepAlive) {
  EXPECT_EQ(transcribe("GET / HTTP/1.0\r\n\r\n"), "head GET / 1.0 close\ncomplete\n");
  EXPECT_EQ(transcribe("GET / HTTP/1.0\r\nConnection: a, Keep-Alive\r\n\r\n"),
            "head GET / 1.0 [connection=a, Keep-Alive] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
            "head GET / 1.0 [connection=keep-alive, close] close\ncomplete\n");
  EXPECT_EQ(transcribe(with_fields("Connection: a\r\nConnection: b ,\tCLOSE\r\n")),
            "head GET / 1.1 @h [host=h] [connection=a] [connection=b ,\tCLOSE] close\ncomplete\n");
}

TEST(RequestParser, LaterMinorVersionIsServedAs11) {
  EXPECT_EQ(transcribe("GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
            "head GET / 1.1 @h [host=h] keep-alive\ncomplete\n");
}

TEST(RequestParser, UpgradeNeedsBothFields) {
  EXPECT_EQ(transcribe(with_fields("Upgrade: websocket\r\n")),
            "head GET / 1.1 @h [host=h] [upgrade=websocket] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe(with_fields("Connection: Upgrade\r\n")),
            "head GET / 1.1 @h [host=h] [connection=Upgrade] keep-alive\ncomplete\n");
  EXPECT_EQ(
      transcribe(with_fields("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")),
      "head GET / 1.1 @h [host=h] [connection=keep-alive, Upgrade] [upgrade=websocket] keep-alive upgrade\n"
      "complete\n");
}

TEST(RequestParser, UpgradeIsNotForHttp10) {
  EXPECT_EQ(transcribe("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
            "head GET / 1.0 [connection=upgrade] [upgrade=x] close\ncomplete\n");
}

TEST(RequestParser, BytesBehindUpgradeRequestAreLeft) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes = with_fields("Connection: upgrade\r\nUpgrade: x\r\n");
  const std::size_t request_bytes = bytes.size();
  bytes += "\x81\x05hello";
  const ParseStep head = parser.parse(bytes);
  EXPECT_EQ(head.event, ParseEvent::head);
  EXPECT_EQ(head.consumed, request_bytes);
  const ParseStep complete = parser.parse(std::span(bytes).subspan(head.consumed));
  EXPECT_EQ(complete.event, ParseEvent::complete);
  EXPECT_EQ(complete.consumed, 0U);
}

TEST(RequestParser, UpgradeRequestMayHaveABody) {
  EXPECT_EQ(
      outcome(with_fields("Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n", "POST") +
              "1\r\na\r\n0\r\n\r\n"),
      "complete");
}

TEST(RequestParser, ExpectationNeedsABodyAndVersion11) {
  EXPECT_EQ(transcribe(with_fields("Expect: 100-Continue\r\nContent-Length: 1\r\n", "PUT") + "a"),
            "head PUT / 1.1 @h [host=h] [expect=100-Continue] [content-length=1] length=1 keep-alive "
            "expect-continue\n"
            "body a\ncomplete\n");
  EXPECT_EQ(transcribe(with_fields("Expect: 100-continue\r\n")),
            "head GET / 1.1 @h [host=h] [expect=100-continue] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na"),
            "head PUT / 1.0 [expect=100-continue] [content-length=1] length=1 close\nbody a\ncomplete\n");
}

TEST(RequestParser, TrailersAreAcceptedWhenTeSaysSo) {
  EXPECT_EQ(transcribe(with_fields("TE: gzip;q=0.5, Trailers\r\n")),
            "head GET / 1.1 @h [host=h] [te=gzip;q=0.5, Trailers] keep-alive te-trailers\ncomplete\n");
}

// Targets

TEST(RequestParser, AbsoluteTargetHasHostPathAndQuery) {
  EXPECT_EQ(transcribe("GET http://a.example:81/p?q HTTP/1.1\r\nHost: a.example:81\r\n\r\n"),
            "head GET /p?q 1.1 @a.example:81 [host=a.example:81] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe("GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n"),
            "head GET / 1.1 @a [host=a] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe("GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n"),
            "head GET /?x 1.1 @a [host=a] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe("GET http://a/ HTTP/1.0\r\n\r\n"), "head GET / 1.0 @a close\ncomplete\n");
}

// RFC 9112 §3.2.2 has the target go first, which not every reader knows.
TEST(RequestParser, AbsoluteTargetAndHostMustNotDisagree) {
  const auto outcome_of = [](std::string_view target, std::string_view host) {
    return outcome(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, host));
  };
  const std::string error = "error 400 Host and the request target disagree";
  EXPECT_EQ(outcome_of("http://a/", "b"), error);
  EXPECT_EQ(outcome_of("http://a/", "a:81"), error);
  EXPECT_EQ(outcome_of("http://a:443/", "a"), error);
  EXPECT_EQ(outcome_of("https://a:80/", "a"), error);
  EXPECT_EQ(outcome_of("http://a:80/", "a:443"), error);
  for (const auto& [target, host] :
       std::vector<std::pair<std::string, std::string>>{{"http://A.example/", "a.EXAMPLE"},
                                                        {"http://a:80/", "a"},
                                                        {"http://a/", "a:80"},
                                                        {"http://a:/", "a"},
                                                        {"HTTPS://a:443", "a"},
                                                        {"http://[::1]:80/", "[::1]"}}) {
    EXPECT_EQ(outcome_of(target, host), "complete") << target << " and " << host;
  }
}

// RFC 9110 §10.1.1
TEST(RequestParser, OtherExpectationsThanContinueAreRefused) {
  const auto outcome_of = [](std::string_view version, std::string_view expectation) {
    return outcome(fmt::format("GET / HTTP/{}\r\nHost: h\r\nExpect: {}\r\n\r\n", version, expectation));
  };
  for (std::string_view expectation :
       {"200-ok", "100-continue, else", "100-continue;a=b", "else, 100-continue"})
    EXPECT_EQ(outcome_of("1.1", expectation), "error 417 expectation is not supported") << expectation;
  for (std::string_view expectation : {"100-continue", "100-CONTINUE, 100-continue", "", ","})
    EXPECT_EQ(outcome_of("1.1", expectation), "complete") << expectation;
  EXPECT_EQ(outcome_of("1.0", "200-ok"), "complete");
}

TEST(RequestParser, AsteriskIsForOptions) {
  EXPECT_EQ(transcribe("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
            "head OPTIONS * 1.1 @h [host=h] keep-alive\ncomplete\n");
  EXPECT_EQ(transcribe("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n"),
            "head OPTIONS * 1.1 @h [host=h] keep-alive\ncomplete\n");
  EXPECT_EQ(outcome("GET * HTTP/1.1\r\nHost: h\r\n\r\n"), "error 400 target * is for OPTIONS only");
}

TEST(RequestParser, TargetsOfOtherFormsAreRefused) {
  for (std::string target : {"foo", "host:443", "h", "**", "ftp://h/", "http:/h/", "http://", "mailto:x"}) {
    SCOPED_TRACE(target);
    EXPECT_TRUE(outcome("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("error 400 "));
  }
  EXPECT_EQ(outcome("GET foo HTTP/1.1\r\nHost: h\r\n\r\n"), "error 400 malformed request target");
  EXPECT_EQ(outcome("GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
            "error 400 invalid host in the request target");
}

TEST(RequestParser, TargetBytesOutsideVisibleAsciiAreRefused) {
  for (int byte = 0; byte < 256; ++byte) {
    SCOPED_TRACE(byte);
    const std::string request =
        "GET /a" + std::string(1, static_cast<char>(byte)) + "b HTTP/1.1\r\nHost: h\r\n\r\n";
    const bool allowed = byte > 0x20 && byte < 0x7F && byte != '#';
    EXPECT_EQ(transcribe_whole(request).starts_with("head "), allowed);
  }
  EXPECT_EQ(outcome("GET /\xC3\xA9 HTTP/1.1\r\nHost: h\r\n\r\n"),
            "error 400 invalid character in the request target");
  EXPECT_EQ(outcome("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"),
            "error 400 invalid character in the request target");
}

// Request lines

TEST(RequestParser, EmptyLinesBeforeARequestAreSkipped) {
  EXPECT_EQ(transcribe("\r\n\r\nGET / HTTP/1.0\r\n\r\n"), "head GET / 1.0 close\ncomplete\n");
}

TEST(RequestParser, SkippedEmptyLinesDoNotStartARequest) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes = "\r\nG";
  EXPECT_EQ(parser.parse(std::span(bytes).first(2)).event, ParseEvent::need_more);
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.parse(std::span(bytes).last(1)).event, ParseEvent::need_more);
  EXPECT_TRUE(parser.started());
}

TEST(RequestParser, HalfAnEmptyLineWaitsForItsOtherHalf) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes = "\r\n";
  EXPECT_EQ(parser.parse(std::span(bytes).first(1)).event, ParseEvent::need_more);
  EXPECT_TRUE(parser.started());
  EXPECT_EQ(parser.parse(std::span(bytes).last(1)).event, ParseEvent::need_more);
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, HoldsWhatDidNotComeInOnePiece) {
  const Limits limits;
  RequestParser parser(limits);
  std::string whole = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_EQ(parser.parse(whole).event, ParseEvent::head);
  EXPECT_EQ(parser.held_bytes(), 0U);
  std::string trailer = "0\r\nA: b";
  ASSERT_EQ(parser.parse(trailer).event, ParseEvent::need_more);
  EXPECT_EQ(parser.held_bytes(), 4U);
  parser.reset();
  EXPECT_EQ(parser.held_bytes(), 0U);
  std::string begun = "GET / HT";
  ASSERT_EQ(parser.parse(begun).event, ParseEvent::need_more);
  EXPECT_EQ(parser.held_bytes(), 8U);
}

TEST(RequestParser, BareEndingsBeforeARequestAreRefused) {
  EXPECT_EQ(outcome("\nGET / HTTP/1.0\r\n\r\n"), "error 400 request does not begin with a method");
  EXPECT_EQ(outcome("\rGET / HTTP/1.0\r\n\r\n"), "error 400 bare CR before the request line");
}

TEST(RequestParser, MethodThatIsNoTokenIsRefused) {
  EXPECT_EQ(outcome("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), "error 400 method is not a token");
  EXPECT_EQ(outcome(" / HTTP/1.1\r\nHost: h\r\n\r\n"), "error 400 request does not begin with a method");
  EXPECT_EQ(outcome("\x16\x03\x01"), "error 400 request does not begin with a method");
}

TEST(RequestParser, UnknownMethodIsNotImplemented) {
  EXPECT_EQ(outcome("BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), "error 501 method is unknown");
  EXPECT_EQ(outcome("get / HTTP/1.1\r\nHost: h\r\n\r\n"), "error 501 method is unknown");
}

TEST(RequestParser, ConnectIsNotImplemented) {
  EXPECT_EQ(outcome("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), "error 501 CONNECT is not supported");
}

TEST(RequestParser, MethodOfHttp2IsNotImplemented) {
  EXPECT_EQ(outcome("PRI / HTTP/1.1\r\nHost: h\r\n\r\n"), "error 501 PRI is for HTTP/2 only");
  EXPECT_EQ(outcome("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "error 505 HTTP version is not supported");
}

TEST(RequestParser, OtherMajorVersionIsNotSupported) {
  for (std::string version : {"9.9", "2.0", "0.9", "3.1"}) {
    SCOPED_TRACE(version);
    EXPECT_EQ(outcome("GET / HTTP/" + version + "\r\nHost: h\r\n\r\n"),
              "error 505 HTTP version is not supported");
  }
}

TEST(RequestParser, MalformedVersionIsRefused) {
  for (std::string version :
       {"HTTP/1.", "HTTP/1.10", "HTTP/11", "http/1.1", "HTTP/1,1", "HTTP/x.1", "HTP/1.1", "HTTP/+1.1"}) {
    SCOPED_TRACE(version);
    EXPECT_EQ(outcome("GET / " + version + "\r\nHost: h\r\n\r\n"),
              "error 400 malformed HTTP version in the request line");
  }
}

TEST(RequestParser, LineWithoutAllPartsIsRefused) {
  EXPECT_EQ(outcome("GET /\r\n\r\n"), "error 400 request line has no target or no version");
  EXPECT_EQ(outcome("GET\r\n\r\n"), "error 400 request line has no target or no version");
  EXPECT_EQ(outcome("GET HTTP/1.1\r\n\r\n"), "error 400 request line has no target or no version");
}

TEST(RequestParser, LineWithOtherSpacesIsRefused) {
  EXPECT_EQ(outcome("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
            "error 400 invalid character in the request target");
  EXPECT_EQ(outcome("GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
            "error 400 invalid character in the request target");
  EXPECT_EQ(outcome("GET  HTTP/1.1\r\nHost: h\r\n\r\n"), "error 400 invalid character in the request target");
  EXPECT_EQ(outcome("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"), "error 400 method is not a token");
  EXPECT_EQ(outcome("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
            "error 400 malformed HTTP version in the request line");
}

// Header lines

TEST(RequestParser, BareLineFeedInHeadIsRefused) {
  EXPECT_EQ(outcome("GET / HTTP/1.1\nHost: h\r\n\r\n"), "error 400 request line does not end in CRLF");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: h\n\r\n"), "error 400 malformed header line");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: h\r\nA:\n\r\n"), "error 400 malformed header line");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: h\r\n\n"), "error 400 header section does not end in CRLF");
}

TEST(RequestParser, BareCarriageReturnInHeadIsRefused) {
  EXPECT_EQ(outcome("GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"),
            "error 400 invalid character in the request target");
  EXPECT_EQ(outcome(with_fields("A: b\rc\r\n")), "error 400 malformed header line");
  EXPECT_EQ(outcome(with_fields("A: b\r\r\n")), "error 400 malformed header line");
  EXPECT_EQ(outcome(with_fields("A\r: b\r\n")), "error 400 malformed header line");
}

TEST(RequestParser, FoldedHeaderLineIsRefused) {
  for (std::string lines : {"A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A:\r\n b\r\n", "A: b\r\n \r\n",
                            "A:\r\n \r\n", "A: b\r\n  \r\n c\r\n"}) {
    SCOPED_TRACE(lines);
    EXPECT_TRUE(outcome(with_fields(lines)).starts_with("error 400 "));
  }
  EXPECT_EQ(outcome(with_fields("A: b\r\n c\r\n")), "error 400 folded header line");
  EXPECT_EQ(outcome(with_fields("A: b\r\n c\r\nD: e\r\n")), "error 400 folded header line");
}

TEST(RequestParser, SpaceAroundHeaderNameIsRefused) {
  for (std::string lines : {" A: b\r\n", "\tA: b\r\n", "A : b\r\n", "A\t: b\r\n", "A B: c\r\n"}) {
    SCOPED_TRACE(lines);
    EXPECT_TRUE(outcome(with_fields(lines)).starts_with("error 400 "));
    EXPECT_TRUE(outcome("GET / HTTP/1.1\r\n" + lines + "Host: h\r\n\r\n").starts_with("error 400 "));
  }
}

TEST(RequestParser, HeaderNameMustBeAToken) {
  EXPECT_EQ(outcome(with_fields(": b\r\n")), "error 400 malformed header name");
  EXPECT_EQ(outcome(with_fields("A\r\n")), "error 400 malformed header line");
  for (int byte = 0; byte < 256; ++byte) {
    if (byte == ':') continue;  // ends the name
    SCOPED_TRACE(byte);
    const char c = static_cast<char>(byte);
    EXPECT_EQ(transcribe_whole(with_fields("A" + std::string(1, c) + "B: c\r\n")).starts_with("head "),
              is_in(CharacterClass::token, c));
  }
}

TEST(RequestParser, HeaderValueMayNotHaveControls) {
  for (int byte = 0; byte < 256; ++byte) {
    SCOPED_TRACE(byte);
    const std::string value = "b" + std::string(1, static_cast<char>(byte)) + "c";
    EXPECT_EQ(transcribe_whole(with_fields("A: " + value + "\r\n")).starts_with("head "),
              is_field_value(value));
    EXPECT_EQ(transcribe_whole(with_fields("Connection: " + value + "\r\n")).starts_with("head "),
              is_field_value(value));
  }
}

TEST(RequestParser, HostIsNeededFrom11On) {
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\r\n"), "error 400 Host is missing");
  EXPECT_EQ(outcome("GET http://h/ HTTP/1.1\r\n\r\n"), "error 400 Host is missing");
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\n\r\n"), "complete");
}

TEST(RequestParser, HostMayNotRepeat) {
  EXPECT_EQ(outcome(with_fields("Host: h\r\n")), "error 400 Host is there more than once");
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n"),
            "error 400 Host is there more than once");
}

TEST(RequestParser, InvalidHostIsRefused) {
  for (std::string host :
       {"", "user@h", "h/p", "a,b", "{h", "\xFF", "h:x", "h:99999", "[::1", "a b", "h:80:90", "h?", "%zz"}) {
    SCOPED_TRACE(host);
    EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), "error 400 Host is invalid");
  }
}

// Framing

TEST(RequestParser, BodyOfDeclaredLength) {
  EXPECT_EQ(transcribe(with_fields("Content-Length: 5\r\n", "POST") + "12345"),
            "head POST / 1.1 @h [host=h] [content-length=5] length=5 keep-alive\nbody 12345\ncomplete\n");
}

TEST(RequestParser, DeclaredLengthOfZeroHasNoBodyEvent) {
  EXPECT_EQ(transcribe(with_fields("Content-Length: 0\r\n", "POST")),
            "head POST / 1.1 @h [host=h] [content-length=0] length=0 keep-alive\ncomplete\n");
}

TEST(RequestParser, LengthMayHaveSpaceAndLeadingZeros) {
  for (std::string value : {" 5", "\t5\t ", "0005", "  05 "}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(outcome(with_fields("Content-Length:" + value + "\r\n", "POST") + "12345"), "complete");
  }
}

TEST(RequestParser, MalformedLengthIsRefused) {
  for (std::string value :
       {"", "+5", "-5", "0x5", "1_0", "5, 5", "5,6", "5 5", "5.0", "five", "5;", "\"5\""}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(outcome(with_fields("Content-Length: " + value + "\r\n", "POST") + "12345"),
              "error 400 Content-Length is not a number");
  }
  EXPECT_EQ(outcome(with_fields("Content-Length: 18446744073709551616\r\n", "POST")),
            "error 400 Content-Length is too large a number");
}

TEST(RequestParser, RepeatedLengthIsRefused) {
  for (std::string second : {"5", "6"}) {
    EXPECT_EQ(
        outcome(with_fields("Content-Length: 5\r\nContent-Length: " + second + "\r\n", "POST") + "12345"),
        "error 400 Content-Length is there more than once");
  }
}

TEST(RequestParser, LengthBesideTransferEncodingIsRefused) {
  EXPECT_EQ(outcome(with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "POST")),
            "error 400 both Transfer-Encoding and Content-Length");
  EXPECT_EQ(outcome(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "POST")),
            "error 400 both Transfer-Encoding and Content-Length");
}

TEST(RequestParser, MalformedTransferEncodingIsRefused) {
  for (std::string value :
       {"", ",chunked", "chunked,", "chunked, chunked", "chunked, gzip", "chunked;a=b", "chunked gzip",
        "\"chunked\"", "chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: gzip",
        "\x0b"
        "chunked",
        "\r\n chunked", "chunked\t", "\tchunked", "chunked \t"}) {
    SCOPED_TRACE(value);
    EXPECT_TRUE(
        outcome(with_fields("Transfer-Encoding: " + value + "\r\n", "POST")).starts_with("error 400 "));
  }
  EXPECT_EQ(outcome(with_fields("Transfer-Encoding: chunked, chunked\r\n", "POST")),
            "error 400 Transfer-Encoding is malformed");
}

TEST(RequestParser, OtherTransferCodingIsNotImplemented) {
  for (std::string value :
       {"gzip", "identity", "xchunked", "gzip, chunked", "gzip;level=9, chunked", "chunked2"}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(outcome(with_fields("Transfer-Encoding: " + value + "\r\n", "POST")),
              "error 501 transfer coding is not supported");
  }
}

TEST(RequestParser, TransferEncodingInHttp10IsRefused) {
  EXPECT_EQ(outcome("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "error 400 Transfer-Encoding in HTTP/1.0");
}

// The protocol of calls

TEST(RequestParser, CompleteTakesACallOfItsOwn) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes = with_fields("Content-Length: 2\r\n", "POST") + "ab";
  std::span<char> rest = bytes;
  ParseStep step = parser.parse(rest);
  EXPECT_EQ(step.event, ParseEvent::head);
  rest = rest.subspan(step.consumed);
  step = parser.parse(rest);
  EXPECT_EQ(step.event, ParseEvent::body);
  EXPECT_EQ(step.consumed, 2U);
  EXPECT_EQ(parser.parse({}).event, ParseEvent::complete);
  EXPECT_EQ(parser.parse({}).event, ParseEvent::complete);
}

TEST(RequestParser, EmptyCallAsksForMore) {
  const Limits limits;
  RequestParser parser(limits);
  EXPECT_EQ(parser.parse({}).event, ParseEvent::need_more);
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, PipelinedRequestsAreParsedOneByOne) {
  EXPECT_EQ(
      transcribe(
          "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
          "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
          "\r\n"
          "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n"
          "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n"),
      "head GET /1 1.1 @h [host=h] keep-alive\ncomplete\n"
      "head POST /2 1.1 @h [host=h] [content-length=3] length=3 keep-alive\nbody abc\ncomplete\n"
      "head POST /3 1.1 @h [host=h] [transfer-encoding=chunked] chunked keep-alive\nbody abc\ncomplete "
      "[t=t]\n"
      "head GET /4 1.1 @h [host=h] keep-alive\ncomplete\n");
}

TEST(RequestParser, StrayEmptyLineBehindLastRequestIsHarmless) {
  EXPECT_EQ(transcribe(with_fields("Connection: close\r\n") + "\r\n"),
            "head GET / 1.1 @h [host=h] [connection=close] close\ncomplete\n");
}

TEST(RequestParser, ErrorStaysUntilReset) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bad = "GET / HTTP/1.1\r\nA b\r\n\r\n";
  std::string good = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(parser.parse(bad).event, ParseEvent::error);
  EXPECT_EQ(parser.parse(good).event, ParseEvent::error);
  parser.reset();
  EXPECT_EQ(parser.parse(good).event, ParseEvent::head);
}

TEST(RequestParser, ErrorInTrailersDoesNotReachTheNextConnection) {
  const Limits limits;
  RequestParser parser(limits);
  std::string head = with_fields("Transfer-Encoding: chunked\r\n", "POST");
  std::string bad = "0\r\n(\r\n\r\n";
  std::string good = "0\r\nA: b\r\n\r\n";
  ASSERT_EQ(parser.parse(head).event, ParseEvent::head);
  ASSERT_EQ(parser.parse(bad).event, ParseEvent::error);
  parser.reset();
  ASSERT_EQ(parser.parse(head).event, ParseEvent::head);
  ASSERT_EQ(parser.parse(good).event, ParseEvent::complete);
  EXPECT_EQ(parser.trailers().size(), 1U);
}

TEST(RequestParser, TrailersAreGoneAfterReset) {
  const Limits limits;
  RequestParser parser(limits);
  std::string chunked = with_fields("Transfer-Encoding: chunked\r\n", "POST");
  std::string end = "0\r\nA: b\r\n\r\n";
  std::string plain = with_fields("");
  ASSERT_EQ(parser.parse(chunked).event, ParseEvent::head);
  ASSERT_EQ(parser.parse(end).event, ParseEvent::complete);
  parser.reset();
  ASSERT_EQ(parser.parse(plain).event, ParseEvent::head);
  ASSERT_EQ(parser.parse({}).event, ParseEvent::complete);
  EXPECT_TRUE(parser.trailers().empty());
}

}  // namespace
}  // namespace atlas::http
