// Requests that are refused: the right status, and nothing behind them is served.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using ::testing::HasSubstr;
using testing::HttpHarness;
using testing::plain_options;
using testing::read_body;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

struct Refusal {
  std::string status_line;
  std::string log;
};

/// Sends a bad request with a good one behind it, to an application that must not be called.
Refusal refusal_of(std::string_view request, const ServerOptions& options = plain_options()) {
  CapturedLog log;
  HttpHarness harness([](const Scope&, Receive&, Send&) { ADD_FAILURE() << "the application was called"; },
                      options);
  harness.send(std::string(request) + std::string(get_request));
  const auto received = harness.received();
  EXPECT_THAT(received, HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_EQ(received.find("HTTP/1.1", 1), std::string::npos) << "more than one response: " << received;
  EXPECT_TRUE(harness.client().input_ended());
  return {received.substr(0, received.find("\r\n")), log.take()};
}

TEST(HttpRefusal, OfAMalformedRequestLineIs400) {
  EXPECT_EQ(refusal_of("GET /\r\nHost: h\r\n\r\n").status_line, "HTTP/1.1 400 Bad Request");
}

TEST(HttpRefusal, OfAMalformedHeaderIs400) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nbad header: 1\r\n\r\n").status_line,
            "HTTP/1.1 400 Bad Request");
}

TEST(HttpRefusal, OfLengthAndChunkedTogetherIs400) {
  EXPECT_EQ(
      refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
          .status_line,
      "HTTP/1.1 400 Bad Request");
}

TEST(HttpRefusal, OfAMissingHostIs400AndLogged) {
  const auto refusal = refusal_of("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(refusal.status_line, "HTTP/1.1 400 Bad Request");
  EXPECT_THAT(refusal.log, HasSubstr("refused with 400: Host is missing (client 192.0.2.1)"));
}

TEST(HttpRefusal, OfManyAreLoggedUpToABoundInEachSecond) {
  HttpHarness harness([](const Scope&, Receive&, Send&) {});
  const auto refuse = [&](std::uint64_t times) {
    CapturedLog log;
    for (std::uint64_t i = 0; i < times; ++i) {
      harness.connect().send("GET / HTTP/1.1\r\n\r\n");
      harness.run();
    }
    return log.take();
  };
  const auto lines = refuse(WorkerContext::refusal_lines_per_second_max + 3);
  EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(lines, '\n')),
            WorkerContext::refusal_lines_per_second_max);
  harness.advance(1s);
  const auto later = refuse(1);
  EXPECT_THAT(later, HasSubstr("3 refusals were not logged: too many in a second"));
  EXPECT_THAT(later, HasSubstr("refused with 400: Host is missing"));
  EXPECT_THAT(refuse(1), ::testing::Not(HasSubstr("not logged")));
}

TEST(HttpRefusal, OfAMalformedEscapeIs400) {
  const auto refusal = refusal_of("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(refusal.status_line, "HTTP/1.1 400 Bad Request");
  EXPECT_THAT(refusal.log, HasSubstr("refused with 400: the path has a malformed escape"));
}

TEST(HttpRefusal, OfABodyDeclaredTooLargeIs413) {
  auto options = plain_options();
  options.limits.body_bytes_max = 10;
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", options).status_line,
            "HTTP/1.1 413 Content Too Large");
}

TEST(HttpRefusal, OfALongRequestLineIs414) {
  auto options = plain_options();
  options.limits.request_line_bytes_max = 100;
  EXPECT_EQ(refusal_of("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", options).status_line,
            "HTTP/1.1 414 URI Too Long");
}

TEST(HttpRefusal, OfLargeHeadersIs431) {
  auto options = plain_options();
  options.limits.header_bytes_max = 100;
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX-A: " + std::string(100, 'a') + "\r\n\r\n", options)
                .status_line,
            "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST(HttpRefusal, OfUnknownMethodsAndCodingsIs501) {
  EXPECT_EQ(refusal_of("BREW / HTTP/1.1\r\nHost: h\r\n\r\n").status_line, "HTTP/1.1 501 Not Implemented");
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").status_line,
            "HTTP/1.1 501 Not Implemented");
}

TEST(HttpRefusal, OfAnUnknownVersionIs505) {
  EXPECT_EQ(refusal_of("GET / HTTP/9.9\r\nHost: h\r\n\r\n").status_line,
            "HTTP/1.1 505 HTTP Version Not Supported");
}

TEST(HttpRefusal, ComesBehindTheAnswersToGoodRequests) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  harness.send(std::string(get_request) + "oops\r\n\r\n");
  const auto received = harness.received();
  EXPECT_EQ(received.substr(0, received.find("HTTP/1.1", 1)),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_THAT(received, HasSubstr("HTTP/1.1 400 Bad Request\r\n"));
}

TEST(HttpRefusal, LeavesTheClientTimeToReadIt) {
  HttpHarness harness([](const Scope&, Receive&, Send&) {});
  harness.send("oops\r\n\r\n");
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_FALSE(harness.client().closed());
  harness.send(std::string(100'000, 'x'));
  harness.advance(1999ms);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(1ms);
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpRefusal, IsOverWhenTheClientCloses) {
  HttpHarness harness([](const Scope&, Receive&, Send&) {});
  harness.send("oops\r\n\r\n");
  harness.client().shutdown_write();
  harness.run();
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpRefusal, DoesNotReadForEver) {
  auto options = plain_options();
  options.connection_limits.linger_bytes_max = 100'000;
  HttpHarness harness([](const Scope&, Receive&, Send&) {}, options);
  harness.send("oops\r\n\r\n");
  harness.send(std::string(99'999, 'x'));
  EXPECT_FALSE(harness.client().closed());
  harness.send("x");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpRefusal, OfAChunkedBodyPastItsLimitIs413) {
  auto options = plain_options();
  options.limits.body_bytes_max = 10;
  bool told = false;
  HttpHarness harness([&](const Scope&, Receive& receive, Send&) { told = !read_body(receive); }, options);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n");
  EXPECT_EQ(harness.received(), "");
  harness.send("1\r\nx\r\n0\r\n\r\n");
  EXPECT_TRUE(told);
  EXPECT_EQ(harness.received().substr(0, 30), "HTTP/1.1 413 Content Too Large");
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpRefusal, OfABodyOnceTheResponseHasBegunCutsIt) {
  HttpHarness harness([&](const Scope&, Receive& receive, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    if (read_body(receive)) send(HttpResponseBody{.body = "two"});
  });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.received().find("0\r\n\r\n"), std::string::npos);
}

TEST(HttpRefusal, OfABadChunkIs400AndTheApplicationCanNotAnswerAnyMore) {
  bool thrown = false;
  HttpHarness harness([&](const Scope&, Receive& receive, Send& send) {
    EXPECT_FALSE(read_body(receive));
    try {
      answer(send, "ok");
    } catch (const Disconnected&) {
      thrown = true;
    }
  });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n");
  EXPECT_TRUE(thrown);
  EXPECT_EQ(harness.received().substr(0, 24), "HTTP/1.1 400 Bad Request");
}

TEST(HttpRefusal, OfABodyNobodyReadClosesBehindTheAnswer) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" +
               std::string(get_request));
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_TRUE(harness.client().input_ended());
}

}  // namespace
}  // namespace atlas::asgi
