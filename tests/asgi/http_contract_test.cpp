// How an application can break the contract: what it is told, what the client sees, what is logged.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using ::testing::HasSubstr;
using testing::HttpHarness;

const std::string error_500 =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 26\r\n"
    "connection: close\r\n\r\n500 Internal Server Error\n";
const std::string chunked_start = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

struct Breach {
  std::string text;  // what the application was told
  std::string received;
  std::string log;
  bool closed = false;
};

/// Runs an application that is expected to break the contract, and lets it fail by that.
Breach breach_of(const std::function<void(Send&)>& application,
                 std::string_view request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n") {
  Breach breach;
  CapturedLog log;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    try {
      application(send);
    } catch (const ContractError& error) {
      breach.text = error.what();
      throw;
    }
  });
  harness.send(request);
  breach.received = harness.received();
  breach.closed = harness.client().closed() || harness.client().input_ended();
  breach.log = log.take();
  EXPECT_EQ(harness.counters().application_failures.get(), 1U);
  EXPECT_THAT(breach.log, HasSubstr("the application failed on 'GET /a HTTP/1.1': " + breach.text));
  return breach;
}

/// As above, where the client is to be told by a 500.
std::string refused(const std::function<void(Send&)>& application) {
  const auto breach = breach_of(application);
  EXPECT_EQ(breach.received, error_500);
  EXPECT_TRUE(breach.closed);
  return breach.text;
}

std::string refused_start(HttpResponseStart start) {
  return refused([&](Send& send) { send(start); });
}

TEST(HttpContract, BodyBeforeStart) {
  EXPECT_EQ(refused([](Send& send) { send(HttpResponseBody{.body = "one"}); }),
            "'http.response.body' was sent before 'http.response.start'");
}

TEST(HttpContract, TrailersBeforeStart) {
  EXPECT_EQ(refused([](Send& send) { send(HttpResponseTrailers{}); }),
            "'http.response.trailers' was sent before 'http.response.start'");
}

TEST(HttpContract, StartTwice) {
  EXPECT_EQ(refused([](Send& send) {
              send(HttpResponseStart{});
              send(HttpResponseStart{.status = 201});
            }),
            "'http.response.start' was sent after 'http.response.start', before the first body");
}

TEST(HttpContract, TrailersBeforeTheFirstBody) {
  EXPECT_EQ(refused([](Send& send) {
              send(HttpResponseStart{.trailers = true});
              send(HttpResponseTrailers{});
            }),
            "'http.response.trailers' was sent after 'http.response.start', before the first body");
}

TEST(HttpContract, StartDuringTheBodyCutsTheResponse) {
  const auto breach = breach_of([](Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    send(HttpResponseStart{});
  });
  EXPECT_EQ(breach.text, "'http.response.start' was sent after 'http.response.body' with more_body");
  EXPECT_TRUE(breach.closed);
  EXPECT_THAT(breach.received, ::testing::Not(HasSubstr("0\r\n\r\n")));
}

TEST(HttpContract, TrailersDuringTheBody) {
  EXPECT_EQ(breach_of([](Send& send) {
              send(HttpResponseStart{.trailers = true});
              send(HttpResponseBody{.body = "one", .more_body = true});
              send(HttpResponseTrailers{});
            }).text,
            "'http.response.trailers' was sent after 'http.response.body' with more_body");
}

TEST(HttpContract, EarlyHintDuringTheBody) {
  EXPECT_EQ(breach_of([](Send& send) {
              send(HttpResponseStart{});
              send(HttpResponseBody{.body = "one", .more_body = true});
              send(HttpResponseEarlyHint{});
            }).text,
            "'http.response.early_hint' was sent after 'http.response.body' with more_body");
}

TEST(HttpContract, BodyWhereTrailersAreDue) {
  EXPECT_EQ(breach_of([](Send& send) {
              send(HttpResponseStart{.trailers = true});
              send(HttpResponseBody{.body = "one"});
              send(HttpResponseBody{.body = "two"});
            }).text,
            "'http.response.body' was sent after the last body, where 'http.response.trailers' is due");
}

TEST(HttpContract, BodyAfterTheResponseWasCompleteLeavesTheConnectionOpen) {
  const auto breach = breach_of([](Send& send) {
    answer(send, "one");
    send(HttpResponseBody{.body = "two"});
  });
  EXPECT_EQ(breach.text, "'http.response.body' was sent after the response was complete");
  EXPECT_EQ(breach.received, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
  EXPECT_FALSE(breach.closed);
}

TEST(HttpContract, StartAfterTheResponseWasComplete) {
  EXPECT_EQ(breach_of([](Send& send) {
              answer(send, "one");
              answer(send, "two");
            }).text,
            "'http.response.start' was sent after the response was complete");
}

TEST(HttpContract, TrailersThatWereNotAnnounced) {
  EXPECT_EQ(breach_of([](Send& send) {
              answer(send, "one");
              send(HttpResponseTrailers{});
            }).text,
            "'http.response.trailers' was sent after the response was complete");
}

TEST(HttpContract, StatusesThatAreNotFinal) {
  for (const int status : {0, 100, 101, 199, 600, -200}) {
    EXPECT_EQ(refused_start({.status = status}),
              "'http.response.start' has status " + std::to_string(status) + ": not one of 200 to 599");
  }
}

TEST(HttpContract, HeaderNameThatIsNoToken) {
  EXPECT_EQ(refused_start({.headers = {{"good", "1"}, {"bad name", "2"}}}),
            "'http.response.start' has a header that cannot be sent, 'bad name': header name is not a token");
}

TEST(HttpContract, HeaderValueThatWouldSplitTheResponse) {
  EXPECT_EQ(
      refused_start({.headers = {{"x-a", "1\r\nset-cookie: 2"}}}),
      "'http.response.start' has a header that cannot be sent, 'x-a': header value has a control character");
}

TEST(HttpContract, ContentLengthThatIsNoNumber) {
  EXPECT_EQ(
      refused_start({.headers = {{"content-length", "+5"}}}),
      "'http.response.start' has a header that cannot be sent, 'content-length': content-length is not a "
      "decimal number of at most 18 digits");
}

TEST(HttpContract, ContentLengthTwice) {
  EXPECT_EQ(refused_start({.headers = {{"content-length", "5"}, {"Content-Length", "5"}}}),
            "'http.response.start' has a header that cannot be sent, 'Content-Length': content-length is "
            "given more "
            "than once");
}

TEST(HttpContract, BodyLongerThanItsLength) {
  EXPECT_EQ(refused([](Send& send) {
              send(HttpResponseStart{.headers = {{"content-length", "2"}}});
              send(HttpResponseBody{.body = "one"});
            }),
            "'http.response.body' makes a body of 3 bytes, but content-length said 2");
}

TEST(HttpContract, BodyThatGrowsLongerThanItsLength) {
  const auto breach = breach_of([](Send& send) {
    send(HttpResponseStart{.headers = {{"content-length", "4"}}});
    send(HttpResponseBody{.body = "one", .more_body = true});
    send(HttpResponseBody{.body = "two", .more_body = true});
  });
  EXPECT_EQ(breach.text, "'http.response.body' makes a body of 6 bytes and more, but content-length said 4");
  EXPECT_TRUE(breach.closed);
}

TEST(HttpContract, BodyShorterThanItsLengthIsCut) {
  const auto breach = breach_of([](Send& send) {
    send(HttpResponseStart{.headers = {{"content-length", "9"}}});
    send(HttpResponseBody{.body = "one", .more_body = true});
    send(HttpResponseBody{.body = "two"});
  });
  EXPECT_EQ(breach.text, "'http.response.body' makes a body of 6 bytes, but content-length said 9");
  EXPECT_TRUE(breach.closed);
}

TEST(HttpContract, BodyShorterThanItsLengthFromTheStart) {
  EXPECT_EQ(refused([](Send& send) {
              send(HttpResponseStart{.headers = {{"content-length", "9"}}});
              send(HttpResponseBody{.body = "one"});
            }),
            "'http.response.body' makes a body of 3 bytes, but content-length said 9");
}

TEST(HttpContract, TrailerThatMayNotBeOne) {
  const auto breach = breach_of([](Send& send) {
    send(HttpResponseStart{.trailers = true});
    send(HttpResponseBody{.body = "one"});
    send(HttpResponseTrailers{.headers = {{"Content-Length", "3"}}});
  });
  EXPECT_EQ(breach.text,
            "'http.response.trailers' has a header that cannot be sent, 'Content-Length': header field may "
            "not be a "
            "trailer");
  EXPECT_TRUE(breach.closed);
}

TEST(HttpContract, EarlyHintThatWouldSplitTheResponse) {
  EXPECT_EQ(refused([](Send& send) { send(HttpResponseEarlyHint{.links = {"</a>\r\n\r\n"}}); }),
            "'http.response.early_hint' has a header that cannot be sent, 'link': header value has a control "
            "character");
}

TEST(HttpContract, MessagesOfTheLifespanScope) {
  EXPECT_EQ(refused([](Send& send) { send(LifespanStartupComplete{}); }),
            "'lifespan.startup.complete' is not a message of the http scope");
  EXPECT_EQ(refused([](Send& send) { send(LifespanShutdownFailed{.message = "no"}); }),
            "'lifespan.shutdown.failed' is not a message of the http scope");
}

TEST(HttpContract, OpenMessageThatNobodyKnows) {
  EXPECT_EQ(refused([](Send& send) { send(OpenMessage{.type = "http.response.teleport"}); }),
            "'http.response.teleport' is not a message of the http scope");
}

TEST(HttpContract, ErrorsMayBeCaughtAndMadeGood) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    EXPECT_THROW(send(HttpResponseBody{.body = "early"}), ContractError);
    EXPECT_THROW(send(HttpResponseStart{.status = 99}), ContractError);
    send(HttpResponseStart{.headers = {{"content-length", "3"}}});
    EXPECT_THROW(send(HttpResponseStart{}), ContractError);
    EXPECT_THROW(send(HttpResponseBody{.body = "too long"}), ContractError);
    EXPECT_THROW(send(HttpResponseBody{.body = "-"}), ContractError);
    send(HttpResponseBody{.body = "one"});
    EXPECT_THROW(send(HttpResponseBody{}), ContractError);
  });
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpContract, BodyToHeadMayFallShortOfItsLength) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"content-length", "9"}}});
    send(HttpResponseBody{});
  });
  harness.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n");
}

}  // namespace
}  // namespace atlas::asgi
