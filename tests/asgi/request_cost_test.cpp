// What requests cost, as responses and the access log tell it. Time, the processor's too, is the test's.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <atlas/core/cost.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::HttpHarness;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

ServerOptions with_server_timing() {
  auto options = testing::plain_options();
  options.server_timing = true;
  return options;
}

ServerOptions with_costs_in(AccessLogFormat format) {
  auto options = testing::plain_options();
  options.access_log = format;
  options.access_log_cost = true;
  return options;
}

/// As an application does that works for so long. The loop is the harness's, under which everything runs.
void compute(Duration duration) {
  auto& driver = Scheduler::current()->driver();
  dynamic_cast<testing::ManualDriver&>(driver).compute(duration);
}

void work(const Scope&, Receive&, Send& send) {
  compute(2ms);
  this_fiber::sleep_for(30ms).value();
  compute(1ms);
  answer(send, "hello");
}

/// The answer to one request; `later` is how long it takes.
std::string response(Application application, const ServerOptions& options, std::string_view request = get,
                     Duration later = 1s) {
  HttpHarness harness(std::move(application), options);
  harness.send(request);
  harness.advance(later);
  return harness.received();
}

std::string logged(Application application, const ServerOptions& options, std::string_view request = get) {
  CapturedLog log;
  static_cast<void>(response(std::move(application), options, request));
  return log.take();
}

TEST(RequestCost, IsNeitherCountedNorShownByDefault) {
  const auto application = [](const Scope& scope, Receive& receive, Send& send) {
    EXPECT_FALSE(this_fiber::cost());
    work(scope, receive, send);
  };
  auto options = testing::plain_options();
  options.access_log = AccessLogFormat::common;
  CapturedLog log;
  EXPECT_THAT(response(application, options), Not(HasSubstr("server-timing")));
  EXPECT_THAT(log.take(), EndsWith("\"GET /a HTTP/1.1\" 200 5 \"-\" \"-\"\n"));
}

TEST(RequestCost, ServerTimingHasWhatIsKnownWhenTheHeadIsWritten) {
  EXPECT_EQ(
      response(work, with_server_timing()),
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nserver-timing: cpu;dur=3.000, sleep;dur=30.000\r\n\r\nhello");
}

TEST(RequestCost, ServerTimingOfAStreamEndsAtItsFirstPiece) {
  const auto stream = [](const Scope&, Receive&, Send& send) {
    compute(2ms);
    send(HttpResponseStart{});
    compute(1ms);
    send(HttpResponseBody{.body = "a", .more_body = true});
    compute(5ms);
    this_fiber::sleep_for(30ms).value();
    send(HttpResponseBody{.body = "b"});
  };
  const auto text = response(stream, with_server_timing());
  EXPECT_THAT(text, HasSubstr("server-timing: cpu;dur=3.000\r\n"));
  EXPECT_THAT(text, EndsWith("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
}

TEST(RequestCost, ServerTimingStandsBesideTheApplicationsOwn) {
  const auto application = [](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"server-timing", "db;dur=7"}}});
    send(HttpResponseBody{});
  };
  const auto text = response(application, with_server_timing());
  EXPECT_THAT(text, HasSubstr("server-timing: db;dur=7\r\n"));
  EXPECT_THAT(text, HasSubstr("server-timing: cpu;dur=0.000\r\n"));
}

TEST(RequestCost, ServerTimingIsInTheAnswerToAFailure) {
  const auto application = [](const Scope&, Receive&, Send&) {
    compute(4ms);
    throw std::runtime_error("no");
  };
  CapturedLog log;
  const auto text = response(application, with_server_timing());
  EXPECT_THAT(text, HasSubstr("HTTP/1.1 500 "));
  EXPECT_THAT(text, HasSubstr("server-timing: cpu;dur=4.000\r\n"));
}

TEST(RequestCost, WhatIsRefusedBeforeItIsARequestHasNone) {
  CapturedLog log;
  const auto text = response(work, with_server_timing(), "GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n");
  EXPECT_THAT(text, HasSubstr("HTTP/1.1 400 "));
  EXPECT_THAT(text, Not(HasSubstr("server-timing")));
}

TEST(RequestCost, PipelinedRequestsStartAfresh) {
  const auto application = [](const Scope& scope, Receive&, Send& send) {
    if (scope.path == "/slow") {
      compute(5ms);
      this_fiber::sleep_for(10ms).value();
    }
    compute(1ms);
    answer(send, scope.path);
  };
  const auto text = response(application, with_server_timing(),
                             "GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c "
                             "HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(
      text,
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nserver-timing: cpu;dur=6.000, sleep;dur=10.000\r\n\r\n/slow"
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nserver-timing: cpu;dur=1.000\r\n\r\n/b"
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nserver-timing: cpu;dur=1.000\r\n\r\n/c");
}

TEST(RequestCost, WaitingForTheBodyIsReading) {
  HttpHarness harness(
      [](const Scope&, Receive& receive, Send& send) { answer(send, *testing::read_body(receive)); },
      with_server_timing());
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  harness.advance(40ms);
  harness.send("cd");
  EXPECT_THAT(harness.received(), HasSubstr("server-timing: cpu;dur=0.000, read;dur=40.000\r\n"));
}

TEST(RequestCost, ClientsAreApart) {
  HttpHarness harness(
      [](const Scope& scope, Receive&, Send& send) {
        if (scope.path == "/sleep") this_fiber::sleep_for(30ms).value();
        compute(5ms);
        answer(send, "x");
      },
      with_server_timing());
  auto other = harness.connect();
  harness.send("GET /sleep HTTP/1.1\r\nHost: h\r\n\r\n");
  other.send(get);
  harness.advance(1s);
  EXPECT_THAT(harness.received(), HasSubstr("server-timing: cpu;dur=5.000, sleep;dur=30.000\r\n"));
  EXPECT_THAT(std::string(other.received()), HasSubstr("server-timing: cpu;dur=5.000\r\n"));
}

TEST(RequestCost, FibersOfTheHandlerCountAndMayOutliveTheRequest) {
  std::vector<Fiber> kept;
  HttpHarness harness(
      [&](const Scope&, Receive&, Send& send) {
        kept.push_back(spawn("kept", [] {
          compute(2ms);
          static_cast<void>(this_fiber::sleep_for(100ms));
          compute(50ms);
        }));
        this_fiber::sleep_for(10ms).value();
        answer(send, "x");
      },
      with_server_timing());
  harness.send(get);
  harness.advance(20ms);
  EXPECT_THAT(harness.take(), HasSubstr("server-timing: cpu;dur=2.000, sleep;dur=10.000\r\n"));
  harness.send(get);
  harness.advance(1s);
  EXPECT_THAT(harness.take(), HasSubstr("server-timing: cpu;dur=2.000, sleep;dur=10.000\r\n"));
  harness.loop().run([&] { kept.clear(); });
}

TEST(RequestCost, CommonAccessLogHasItAsOneMoreField) {
  EXPECT_THAT(logged(work, with_costs_in(AccessLogFormat::common)),
              EndsWith("\"GET /a HTTP/1.1\" 200 5 \"-\" \"-\" \"cpu_us=3000 sleep_us=30000\"\n"));
}

TEST(RequestCost, JsonAccessLogHasItAsAnObject) {
  EXPECT_THAT(logged(work, with_costs_in(AccessLogFormat::json)),
              EndsWith("\"user_agent\":\"\",\"cost\":{\"cpu_us\":3000,\"suspended_us\":{\"sleep\":30000},"
                       "\"ready_us\":0}}\n"));
}

TEST(RequestCost, AccessLogCountsToTheEndOfAStream) {
  const auto stream = [](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "a", .more_body = true});
    compute(5ms);
    send(HttpResponseBody{.body = "b"});
    compute(1ms);
  };
  EXPECT_THAT(logged(stream, with_costs_in(AccessLogFormat::common)), EndsWith(" \"cpu_us=6000\"\n"));
}

TEST(RequestCost, AccessLogOfWhatWasRefusedBeforeItIsARequestHasNone) {
  EXPECT_THAT(logged(work, with_costs_in(AccessLogFormat::common), "GET foo HTTP/1.1\r\n"),
              EndsWith("\"GET foo HTTP/1.1\" 400 16 \"-\" \"-\"\n"));
}

TEST(RequestCost, ServerTimingAloneIsNotLogged) {
  auto options = with_server_timing();
  options.access_log = AccessLogFormat::common;
  EXPECT_THAT(logged(work, options), EndsWith("\"GET /a HTTP/1.1\" 200 5 \"-\" \"-\"\n"));
}

TEST(RequestCost, TheApplicationCanAskForItsOwn) {
  const auto application = [](const Scope&, Receive&, Send& send) {
    compute(2ms);
    this_fiber::sleep_for(5ms).value();
    const auto cost = this_fiber::cost();
    answer(send, fmt::format("{} {}", cost->processor.count(), cost->suspended().front().time.count()));
  };
  EXPECT_THAT(response(application, with_costs_in(AccessLogFormat::off)),
              EndsWith("\r\n\r\n2000000 5000000"));
}

}  // namespace
}  // namespace atlas::asgi
