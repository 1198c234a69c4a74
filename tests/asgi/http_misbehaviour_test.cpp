// Applications that misbehave: each leaves the worker serving everybody else.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using ::testing::HasSubstr;
using testing::HttpHarness;
using namespace std::chrono_literals;

constexpr std::string_view bad_request = "GET /bad HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view good_request = "GET /good HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string good_response = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood";
const std::string error_500 =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 26\r\n"
    "connection: close\r\n\r\n500 Internal Server Error\n";

/// Misbehaves on /bad only.
template <class Bad>
Application with_good_manners_elsewhere(Bad bad) {
  return [bad](const Scope& scope, Receive& receive, Send& send) {
    if (scope.path == "/bad") return bad(receive, send);
    answer(send, "good");
  };
}

struct Aftermath {
  std::string received;
  std::string log;
  bool closed = false;
};

template <class Bad>
Aftermath aftermath_of(Bad bad) {
  CapturedLog log;
  HttpHarness harness(with_good_manners_elsewhere(bad));
  auto other = harness.connect();
  harness.send(bad_request);
  other.send(good_request);
  harness.run();
  EXPECT_EQ(testing::without_dates(other.received()), good_response);
  return {harness.received(), log.take(), harness.client().closed() || harness.client().input_ended()};
}

TEST(Misbehaviour, ExceptionBeforeTheStartIs500) {
  const auto after = aftermath_of([](Receive&, Send&) { throw std::runtime_error("no such table"); });
  EXPECT_EQ(after.received, error_500);
  EXPECT_TRUE(after.closed);
  EXPECT_THAT(after.log, HasSubstr("the application failed on 'GET /bad HTTP/1.1': no such table"));
}

TEST(Misbehaviour, ThrownNumberIs500) {
  const auto after = aftermath_of([](Receive&, Send&) { throw 42; });
  EXPECT_EQ(after.received, error_500);
  EXPECT_THAT(after.log, HasSubstr("it threw something that is not a std::exception"));
}

TEST(Misbehaviour, ExceptionAfterTheStartReplacesIt) {
  const auto after = aftermath_of([](Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"x-a", "b"}}});
    throw std::runtime_error("oops");
  });
  EXPECT_EQ(after.received, error_500);
}

TEST(Misbehaviour, ExceptionDuringTheBodyCutsTheResponse) {
  const auto after = aftermath_of([](Receive&, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    this_fiber::yield();
    throw std::runtime_error("oops");
  });
  EXPECT_EQ(after.received, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n");
  EXPECT_TRUE(after.closed);
}

TEST(Misbehaviour, ExceptionAfterTheResponseIsOnlyLogged) {
  const auto after = aftermath_of([](Receive&, Send& send) {
    answer(send, "done");
    throw std::runtime_error("oops");
  });
  EXPECT_EQ(after.received, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone");
  EXPECT_FALSE(after.closed);
  EXPECT_THAT(after.log, HasSubstr("the application failed on 'GET /bad HTTP/1.1': oops"));
}

TEST(Misbehaviour, WhatIsThrownCannotForgeLogLines) {
  const auto after = aftermath_of([](Receive&, Send&) { throw std::runtime_error("a\nb"); });
  EXPECT_THAT(after.log, HasSubstr("a\\x0ab"));
}

TEST(Misbehaviour, ReturningWithoutAResponseIs500) {
  const auto after = aftermath_of([](Receive&, Send&) {});
  EXPECT_EQ(after.received, error_500);
  EXPECT_THAT(after.log, HasSubstr("it returned without sending a response"));
}

TEST(Misbehaviour, ReturningAfterTheStartIs500) {
  const auto after = aftermath_of([](Receive&, Send& send) { send(HttpResponseStart{}); });
  EXPECT_EQ(after.received, error_500);
  EXPECT_THAT(after.log, HasSubstr("it returned before the response was complete"));
}

TEST(Misbehaviour, ReturningDuringTheBodyCutsTheResponse) {
  const auto after = aftermath_of([](Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"content-length", "10"}}});
    send(HttpResponseBody{.body = "one", .more_body = true});
  });
  EXPECT_TRUE(after.closed);
  EXPECT_THAT(after.log, HasSubstr("it returned before the response was complete"));
}

TEST(Misbehaviour, ReturningWithoutTheTrailersCutsTheResponse) {
  const auto after = aftermath_of([](Receive&, Send& send) {
    send(HttpResponseStart{.trailers = true});
    send(HttpResponseBody{.body = "one"});
  });
  EXPECT_TRUE(after.closed);
  EXPECT_THAT(after.log, HasSubstr("it returned before the response was complete"));
}

TEST(Misbehaviour, AnsweringTwiceGivesTheFirstAnswer) {
  const auto after = aftermath_of([](Receive&, Send& send) {
    answer(send, "one");
    answer(send, "two");
  });
  EXPECT_EQ(after.received, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
}

TEST(Misbehaviour, ReceivingForEverAfterTheResponseLetsOthersGoOn) {
  HttpHarness harness(with_good_manners_elsewhere([](Receive& receive, Send& send) {
    answer(send, "done");
    for (int i = 0; i < 1'000'000; ++i) static_cast<void>(receive());
  }));
  harness.client().send(bad_request);
  auto other = harness.connect();
  other.send(good_request);
  harness.loop().scheduler().turn(false);
  harness.loop().scheduler().turn(false);
  EXPECT_EQ(testing::without_dates(other.received()), good_response);
}

// The loop below never lets the loop of the test be idle: it is turned by hand.
class SendingForEver : public ::testing::Test {
 protected:
  SendingForEver()
      : harness_(with_good_manners_elsewhere([this](Receive&, Send& send) {
          send(HttpResponseStart{});
          while (!enough_) {
            try {
              send(HttpResponseBody{.body = "more", .more_body = true});
            } catch (const std::exception&) {
              ++refusals_;
            }
          }
        })) {}
  ~SendingForEver() override { enough_ = true; }

  void turn(int times) {
    for (int i = 0; i < times; ++i) harness_.loop().scheduler().turn(false);
  }

  void begin_and_leave() {
    harness_.client().stop_reading();
    harness_.send(bad_request);
    harness_.client().reset();
    turn(10);
  }

  bool enough_ = false;
  int refusals_ = 0;
  HttpHarness harness_;
};

TEST_F(SendingForEver, ToAClientThatLeftLetsOthersGoOn) {
  auto other = harness_.connect();
  begin_and_leave();
  EXPECT_GT(refusals_, 10);
  other.send(good_request);
  turn(3);
  EXPECT_EQ(testing::without_dates(other.received()), good_response);
  enough_ = true;
  harness_.run();
}

TEST_F(SendingForEver, ToAClientThatLeftEndsByCancellation) {
  begin_and_leave();
  // A drain without patience cancels at once; the application's own handler does not hold that up.
  harness_.drain(0s);
  EXPECT_EQ(harness_.drained(), false);
  EXPECT_FALSE(enough_);
  EXPECT_EQ(harness_.connections_open(), 0U);
}

TEST(Misbehaviour, EarlierAnswersArriveBeforeTheConnectionIsCut) {
  HttpHarness harness(with_good_manners_elsewhere([](Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"content-length", "10"}}});
    send(HttpResponseBody{.body = "one", .more_body = true});
    throw std::runtime_error("oops");
  }));
  harness.send(std::string(good_request) + std::string(good_request) + std::string(bad_request));
  EXPECT_EQ(harness.received(),
            good_response + good_response + "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\none");
  EXPECT_TRUE(harness.client().closed());
}

TEST(Misbehaviour, ABodyThatOnlyTheConnectionEndsIsBrokenOffByAReset) {
  const auto half_way = [](Receive&, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    throw std::runtime_error("oops");
  };
  HttpHarness harness(with_good_manners_elsewhere(half_way));
  harness.send("GET /bad HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(harness.client().was_reset());
  auto newer = harness.connect();
  newer.send(bad_request);
  harness.run();
  EXPECT_FALSE(newer.was_reset()) << "the missing last chunk says it";
  auto complete = harness.connect();
  complete.send("GET /good HTTP/1.0\r\n\r\n");
  harness.run();
  EXPECT_FALSE(complete.was_reset());
}

}  // namespace
}  // namespace atlas::asgi
