// Requests at which well-known servers differ: what a client of a whole connection sees, and whether the
// application ever heard of it.
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::HttpHarness;
using testing::plain_options;
using testing::read_body;
using namespace std::string_literals;

/// What came of the bytes that a client sent.
struct Outcome {
  std::string statuses;  // of all responses: "200 400"
  bool open = false;     // whether the connection goes on
  std::size_t calls = 0;
};

std::string statuses_in(std::string_view responses) {
  constexpr std::string_view line_begin = "HTTP/1.1 ";
  std::string statuses;
  for (std::size_t at = 0; (at = responses.find(line_begin, at)) != std::string_view::npos; at += 12) {
    if (!statuses.empty()) statuses += ' ';
    statuses += responses.substr(at + line_begin.size(), 3);
  }
  return statuses;
}

Outcome outcome_of(std::string_view bytes) {
  std::size_t calls = 0;
  HttpHarness harness([&calls](const Scope&, Receive& receive, Send& send) {
    ++calls;
    if (read_body(receive)) answer(send, "ok");
  });
  harness.send(bytes);
  const bool open = !harness.client().input_ended() && !harness.client().closed();
  return {statuses_in(harness.received()), open, calls};
}

/// A request behind which another one lies.
std::string followed(std::string_view request) {
  return std::string(request) + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

std::string post(std::string_view fields, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

std::string line(std::string_view request_line) { return std::string(request_line) + "\r\nHost: h\r\n\r\n"; }

/// Served, and what follows too.
void expect_served(const std::vector<std::string>& requests) {
  for (const auto& request : requests) {
    const auto outcome = outcome_of(followed(request));
    EXPECT_EQ(outcome.statuses, "200 200") << request;
    EXPECT_TRUE(outcome.open) << request;
  }
}

/// Refused without the application's having heard of it, and nothing behind it is looked at.
void expect_refused(std::string_view status, const std::vector<std::string>& requests) {
  for (const auto& request : requests) {
    const auto outcome = outcome_of(followed(request));
    EXPECT_EQ(outcome.statuses, status) << request;
    EXPECT_FALSE(outcome.open) << request;
    EXPECT_EQ(outcome.calls, 0U) << request;
  }
}

/// The head was good: the application was called, and could not get a body. Nothing behind it is looked at.
void expect_body_refused(std::string_view status, const std::vector<std::string>& requests) {
  for (const auto& request : requests) {
    const auto outcome = outcome_of(followed(request));
    EXPECT_EQ(outcome.statuses, status) << request;
    EXPECT_FALSE(outcome.open) << request;
    EXPECT_EQ(outcome.calls, 1U) << request;
  }
}

// 1. Chunk extensions (RFC 9112 §7.1.1)

TEST(DifferingBehaviours, MalformedChunkExtensionsAre400) {
  expect_body_refused("400", {chunked("5;\r\nhello\r\n0\r\n\r\n"), chunked("5;@\r\nhello\r\n0\r\n\r\n"),
                              chunked("5;a=\r\nhello\r\n0\r\n\r\n"), chunked("5;a=b c\r\nhello\r\n0\r\n\r\n"),
                              chunked("5 \r\nhello\r\n0\r\n\r\n"), chunked("5;a \r\nhello\r\n0\r\n\r\n"),
                              chunked("5;a=\"b\r\nhello\r\n0\r\n\r\n")});
}

TEST(DifferingBehaviours, SoundChunkExtensionsAreSkipped) {
  expect_served({chunked("5;a\r\nhello\r\n0\r\n\r\n"), chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
                 chunked("5;a=\"b;c \\\" d\"\r\nhello\r\n0\r\n\r\n"), chunked("5 ;a=b\r\nhello\r\n0\r\n\r\n"),
                 chunked("5;a;b=c\r\nhello\r\n0;d=e\r\n\r\n")});
}

// 2. Line endings of chunks (RFC 9112 §2.2 and §7.1)

TEST(DifferingBehaviours, ControlsInChunkExtensionsAre400) {
  expect_body_refused(
      "400", {chunked("5;a\x01\r\nhello\r\n0\r\n\r\n"), chunked("5;a=\"\x7F\"\r\nhello\r\n0\r\n\r\n"),
              chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), chunked("5;a\0\r\nhello\r\n0\r\n\r\n"s)});
}

TEST(DifferingBehaviours, ChunkLinesEndInCrlf) {
  expect_body_refused("400", {chunked("5\nhello\r\n0\r\n\r\n"), chunked("5;a\nhello\r\n0\r\n\r\n"),
                              chunked("5\rhello\r\n0\r\n\r\n"), chunked("5\r\nhello\n0\r\n\r\n"),
                              chunked("5\r\nhello0\r\n\r\n"), chunked("5\r\nhello!\r\n0\r\n\r\n"),
                              chunked("5\r\nhello\r\n0\n\r\n"), chunked("5\r\nhello\r\n0\r\n\n")});
}

// 3. Host (RFC 9112 §3.2, RFC 9110 §7.2)

TEST(DifferingBehaviours, MalformedHostsAre400) {
  for (std::string_view host :
       {"", "user@h", "h/path", "h?q", "h#f", "h,i", "h{", "h i", "h\xFF", "h:port", "h:99999"})
    expect_refused("400", {"GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"});
}

TEST(DifferingBehaviours, HostIsThereOnceAndOnlyOldClientsMayLeaveItOut) {
  expect_refused(
      "400", {"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n",
              "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n"});
  EXPECT_EQ(outcome_of("GET / HTTP/1.0\r\n\r\n").statuses, "200");
}

// 4. Header lines (RFC 9112 §5, RFC 9110 §5.5)

TEST(DifferingBehaviours, FoldedLinesAre400) {
  expect_refused("400", {get("A: b\r\n c\r\n"), get("A: b\r\n\tc\r\n"), get("A:\r\n b\r\n")});
}

TEST(DifferingBehaviours, WhiteSpaceWhereNoneBelongsIs400) {
  expect_refused("400",
                 {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", "GET / HTTP/1.1\r\n\tA: b\r\nHost: h\r\n\r\n",
                  get("A : b\r\n"), get("A\t: b\r\n"), get(" A: b\r\n"), get(": b\r\n"), get("A\r\n")});
}

TEST(DifferingBehaviours, ControlsInValuesAre400) {
  for (const char control : "\x01\x08\x0B\x0C\x1F\x7F"s + '\0')
    expect_refused("400", {get("A: b"s + control + "c\r\n")});
  expect_refused("400", {get("A: b\rc\r\n"), get("A: b\r\r\n")});
  expect_served(
      {get("A: b\tc\r\n"), get("A: b\x80\xFF\r\n"), get("A:\r\n"), get("A:b\r\n"), get("A: \t b \t \r\n")});
}

// 5. Transfer-Encoding (RFC 9112 §6.1 and §6.3)

TEST(DifferingBehaviours, TwoFramingsAre400) {
  expect_refused("400", {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                         post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
                         post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n")});
}

TEST(DifferingBehaviours, MalformedTransferEncodingsAre400) {
  for (std::string_view value :
       {",chunked", "chunked, chunked", "chunked,", "", "chunked;a=b", "chunked, gzip", "\"chunked\""})
    expect_refused("400", {post("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n")});
  expect_refused("400", {post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
                         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"});
}

TEST(DifferingBehaviours, UnknownTransferCodingsAre501) {
  for (std::string_view value : {"gzip", "gzip, chunked", "identity", "xchunked"})
    expect_refused("501", {post("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n")});
}

// 6. Content-Length (RFC 9112 §6.3) and chunk sizes (§7.1)

TEST(DifferingBehaviours, ContentLengthsOfOtherFormsAre400) {
  for (std::string_view value :
       {"", "+5", "-5", "0x5", "1_0", "5, 5", "5 5", "5;", "five", "5.0", "18446744073709551616"})
    expect_refused("400", {post("Content-Length: " + std::string(value) + "\r\n", "hello")});
  expect_refused("400", {post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
                         post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")});
}

TEST(DifferingBehaviours, SpacesAroundContentLengthAndLeadingZerosAreFine) {
  expect_served({post("Content-Length: \t 5 \t\r\n", "hello"), post("Content-Length:5\r\n", "hello"),
                 post("Content-Length: 0000000000000000000000005\r\n", "hello"),
                 post("Content-Length: 0\r\n", "")});
}

TEST(DifferingBehaviours, ChunkSizesOfOtherFormsAre400) {
  for (std::string_view size : {"0x5", "1_0", "+5", "-5", "", "5h", "10000000000000000", "fffffffffffffffff"})
    expect_body_refused("400", {chunked(std::string(size) + "\r\nhello\r\n0\r\n\r\n")});
  expect_served({chunked("005\r\nhello\r\n0\r\n\r\n"), chunked("A\r\n0123456789\r\n00\r\n\r\n"),
                 chunked("a\r\n0123456789\r\n0\r\n\r\n")});
}

// 7. Targets (RFC 9112 §3.2)

TEST(DifferingBehaviours, OtherTargetsThanOfTheMethodsFormAre400) {
  for (std::string_view target :
       {"*", "host:443", "foo", "http:foo", "//", "ftp://h/", "/a\xC3\xA4", "/a#b", "http://h:99999/"}) {
    if (target == "//") continue;  // an absolute path, if a strange one
    expect_refused("400", {line("GET " + std::string(target) + " HTTP/1.1")});
  }
  expect_served({line("GET // HTTP/1.1"), line("GET http://h/a HTTP/1.1"), line("GET http://h HTTP/1.1")});
}

TEST(DifferingBehaviours, OptionsOfTheServerAre204) {
  const auto outcome = outcome_of(followed(line("OPTIONS * HTTP/1.1")));
  EXPECT_EQ(outcome.statuses, "204 200");
  EXPECT_EQ(outcome.calls, 1U) << "the server answers for itself";
}

TEST(DifferingBehaviours, OptionsOfTheServerGoToAnApplicationThatWantsThem) {
  auto options = plain_options();
  options.options_asterisk = AnsweredBy::application;
  HttpHarness harness([](const Scope& scope, Receive&, Send& send) { answer(send, scope.path); }, options);
  harness.send(line("OPTIONS * HTTP/1.1"));
  EXPECT_TRUE(harness.received().ends_with("\r\n\r\n*"));
}

TEST(DifferingBehaviours, ConnectIsNever2xx) {
  expect_refused("501", {line("CONNECT h:443 HTTP/1.1"), line("CONNECT / HTTP/1.1")});
}

TEST(DifferingBehaviours, TraceIs501UnlessTheApplicationWantsIt) {
  const auto outcome = outcome_of(followed(line("TRACE / HTTP/1.1")));
  EXPECT_EQ(outcome.statuses, "501");
  EXPECT_EQ(outcome.calls, 0U);
  auto options = plain_options();
  options.trace = AnsweredBy::application;
  HttpHarness harness([](const Scope& scope, Receive&, Send& send) { answer(send, scope.method); }, options);
  harness.send(line("TRACE / HTTP/1.1"));
  EXPECT_TRUE(harness.received().ends_with("\r\n\r\nTRACE"));
}

// 8. Versions (RFC 9110 §2.5, RFC 9112 §2.3)

TEST(DifferingBehaviours, UnknownVersionsAre505AndLater1xAre11) {
  expect_refused("505", {line("GET / HTTP/9.9"), line("GET / HTTP/2.0"), line("GET / HTTP/0.9")});
  expect_refused("400",
                 {line("GET / HTTP/1"), line("GET / HTTP/1.10"), line("GET / http/1.1"), line("GET /")});
  expect_served({line("GET / HTTP/1.2")});
}

TEST(DifferingBehaviours, NoInterimResponseGoesToAnOldClient) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    send(HttpResponseEarlyHint{.links = {"</a.css>; rel=preload"}});
    if (read_body(receive)) answer(send, "ok");
  });
  harness.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(statuses_in(harness.received()), "200");
}

// 9. Stray line ends (RFC 9112 §2.2)

TEST(DifferingBehaviours, EmptyLinesBeforeARequestAreSkippedUpToABound) {
  expect_served({"\r\n" + get(""), "\r\n\r\n\r\n" + get("")});
  std::string many;
  for (int i = 0; i < 33; ++i) many += "\r\n";
  expect_refused("400", {many + get(""), "\n" + get(""), "\r" + get("")});
}

TEST(DifferingBehaviours, AStrayLineEndBehindTheLastRequestDoesNotCostTheResponse) {
  const auto outcome = outcome_of(post("Content-Length: 5\r\nConnection: close\r\n", "hello\r\n"));
  EXPECT_EQ(outcome.statuses, "200");
  EXPECT_FALSE(outcome.open);
}

// 10. Methods and upgrades (RFC 9110 §9.1 and §7.8)

TEST(DifferingBehaviours, AMethodThatIsNoTokenIs400AndOneThatNobodyKnows501) {
  expect_refused("400", {line("G@T / HTTP/1.1"), line("\"GET\" / HTTP/1.1"), line(" GET / HTTP/1.1"),
                         line("G\x80T / HTTP/1.1")});
  expect_refused("501", {line("BREW / HTTP/1.1"), line("get / HTTP/1.1"), line("PRI * HTTP/1.1")});
}

TEST(DifferingBehaviours, UpgradesThatNobodyHonoursAreIgnored) {
  expect_served({get("Upgrade: websocket\r\n"), get("Upgrade: websocket\r\nConnection: upgrade\r\n"),
                 get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n"),
                 get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
                     "AAMAAABkAAQCAAAAAAIAAAAA\r\n")});
}

TEST(DifferingBehaviours, TheHttp2PrefaceIsRefused) {
  const auto outcome = outcome_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(outcome.calls, 0U);
  EXPECT_FALSE(outcome.open);
  EXPECT_TRUE(outcome.statuses == "505" || outcome.statuses == "501") << outcome.statuses;
}

TEST(DifferingBehaviours, ABareLineFeedInTheHeadIs400) {
  expect_refused("400",
                 {"GET / HTTP/1.1\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\n\r\n",
                  "GET / HTTP/1.1\r\nHost: h\r\n\n", "GET / HTTP/1.1\nHost: h\n\n", get("A: b\nC: d\r\n")});
}

}  // namespace
}  // namespace atlas::asgi
