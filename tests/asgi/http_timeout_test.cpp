// Clients that are slow. Time is virtual.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <variant>

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
const std::string ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const std::string error_408 =
    "HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 20\r\n"
    "connection: close\r\n\r\n408 Request Timeout\n";

void say_ok(const Scope&, Receive&, Send& send) { answer(send, "ok"); }
void say_ok_after_body(const Scope&, Receive& receive, Send& send) {
  if (read_body(receive)) answer(send, "ok");
}

TEST(HttpTimeout, OfAHeadIs408) {
  CapturedLog log;
  HttpHarness harness(say_ok);
  harness.send("GET / HTTP/1.1\r\n");
  harness.advance(9999ms);
  EXPECT_EQ(harness.received(), "");
  harness.advance(1ms);
  EXPECT_EQ(harness.received(), error_408);
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_THAT(log.take(),
              HasSubstr("refused with 408: the request's head did not arrive in time (client 192.0.2.1)"));
}

TEST(HttpTimeout, OfAHeadCountsFromItsFirstByte) {
  HttpHarness harness(say_ok);
  harness.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 9; ++i) {
    harness.advance(1s);
    harness.send("X-A: b\r\n");
  }
  EXPECT_EQ(harness.received(), "");
  harness.advance(1s);
  EXPECT_EQ(harness.received(), error_408);
}

TEST(HttpTimeout, OfTheNextHeadBeginsWithIt) {
  HttpHarness harness(say_ok);
  harness.send(get_request);
  harness.advance(30s);
  harness.send("GET / HTTP/1.1\r\n");
  harness.advance(9s);
  EXPECT_EQ(harness.take(), ok);
  harness.advance(1s);
  EXPECT_EQ(harness.take(), error_408);
}

TEST(HttpTimeout, OfAFirstByteClosesSilently) {
  HttpHarness harness(say_ok);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(9999ms);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(1ms);
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.received(), "");
}

TEST(HttpTimeout, OfAnIdleConnectionClosesSilently) {
  HttpHarness harness(say_ok);
  harness.send(get_request);
  harness.advance(59'999ms);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(1ms);
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.received(), ok);
}

TEST(HttpTimeout, OfAnIdleConnectionBeginsAnewWithEachRequest) {
  HttpHarness harness(say_ok);
  for (int i = 0; i < 3; ++i) {
    harness.send(get_request);
    harness.advance(59s);
    EXPECT_FALSE(harness.client().closed());
  }
}

TEST(HttpTimeout, OfAnIdleConnectionIsNotPutOffByEmptyLines) {
  HttpHarness harness(say_ok);
  harness.send("\r\n");
  harness.advance(9s);
  harness.send("\r\n");
  EXPECT_FALSE(harness.client().input_ended());
  harness.advance(1s);
  EXPECT_TRUE(harness.client().input_ended());

  auto later = harness.connect();
  later.send(get_request);
  harness.advance(59s);
  later.send("\r\n");
  harness.run();
  EXPECT_FALSE(later.input_ended());
  harness.advance(1s);
  EXPECT_TRUE(later.input_ended());
}

TEST(HttpTimeout, OfABodyIs408) {
  CapturedLog log;
  HttpHarness harness(say_ok_after_body);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  harness.advance(30s);
  EXPECT_EQ(harness.received(), error_408);
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_THAT(log.take(),
              HasSubstr("refused with 408: the request's body did not arrive in time (client 192.0.2.1)"));
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpTimeout, OfABodyCountsBetweenItsPieces) {
  auto options = plain_options();
  options.connection_limits.body_bytes_per_second_min = 0;
  HttpHarness harness(say_ok_after_body, options);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    harness.advance(29s);
    harness.send("x");
  }
  EXPECT_EQ(harness.received(), ok);
}

TEST(HttpTimeout, OfABodyCutsAResponseThatHasBegun) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    if (read_body(receive)) send(HttpResponseBody{.body = "two"});
  });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  harness.advance(30s);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n");
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpTimeout, OfAWriteCutsAClientThatTakesNothing) {
  bool thrown = false;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    try {
      answer(send, std::string(1 << 20, 'x'));
    } catch (const Disconnected& error) {
      thrown = error.code() == std::errc::timed_out;
      throw;
    }
  });
  harness.client().stop_reading();
  harness.send(get_request);
  harness.advance(29s);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(1s);
  EXPECT_TRUE(harness.client().closed());
  EXPECT_TRUE(thrown);
}

TEST(HttpTimeout, OfAWriteSparesAClientThatTakesALittle) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, std::string(200'000, 'x')); });
  harness.client().stop_reading();
  harness.send(get_request);
  for (int i = 0; i < 10; ++i) {
    harness.advance(29s);
    harness.client().read(8000);
    harness.run();
  }
  EXPECT_FALSE(harness.client().closed());
  harness.client().resume_reading();
  harness.run();
  EXPECT_EQ(harness.received().substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_TRUE(harness.received().ends_with("xxx"));
}

TEST(HttpTimeout, OfAWriteCutsAClientThatTakesTooLittle) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, std::string(200'000, 'x')); });
  harness.client().stop_reading();
  harness.send(get_request);
  harness.client().read(7199);  // of 240 for each of 30 seconds
  harness.advance(29'999ms);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(1ms);
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpTimeout, OfAWriteAsksForOneByteWhereNoRateIsSet) {
  auto options = plain_options();
  options.connection_limits.write_bytes_per_second_min = 0;
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, std::string(200'000, 'x')); },
                      options);
  harness.client().stop_reading();
  harness.send(get_request);
  for (int i = 0; i < 10; ++i) {
    harness.advance(29s);
    harness.client().read(1);
    harness.run();
  }
  EXPECT_FALSE(harness.client().closed());
}

TEST(HttpTimeout, OfABodyHoldsForItsRate) {
  HttpHarness harness(say_ok_after_body);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  harness.advance(15s);
  harness.send(std::string(240 * 5, 'x'));
  harness.advance(20'999ms);  // 30 of grace, 5 for what has come, and one
  EXPECT_EQ(harness.received(), "");
  harness.advance(1ms);
  EXPECT_EQ(harness.received(), error_408);
}

TEST(HttpTimeout, OfABodysRateDoesNotCountTheApplicationsOwnTime) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    EXPECT_TRUE(this_fiber::sleep_for(1h));
    if (read_body(receive)) answer(send, "ok");
  });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  harness.advance(1h);
  harness.advance(29s);
  harness.send("cde");
  EXPECT_EQ(harness.received(), ok);
}

TEST(HttpTimeout, OfAWriteHoldsForSmallPiecesToo) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    for (;;) {
      static_cast<void>(this_fiber::sleep_for(1ms));
      send(HttpResponseBody{.body = std::string(4096, 'x'), .more_body = true});
    }
  });
  harness.client().stop_reading();
  harness.send(get_request);
  harness.advance(29s);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(2s);
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.connections_open(), 0U);
}

// Of 2 seconds.
ServerOptions with_request_timeout() {
  auto options = testing::plain_options();
  options.timeouts.request = 2s;
  return options;
}

const std::string error_503 =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 24\r\n"
    "connection: close\r\n\r\n503 Service Unavailable\n";

TEST(RequestTimeout, IsOffByDefault) {
  HttpHarness harness([](const Scope& scope, Receive&, Send& send) {
    EXPECT_TRUE(scope.extensions.atlas.deadline.is_never());
    this_fiber::sleep_for(24h).value();
    answer(send, "ok");
  });
  harness.send(get_request);
  harness.advance(24h);
  EXPECT_EQ(harness.received(), ok);
}

TEST(RequestTimeout, EndsTheApplicationsWaitsWith503) {
  CapturedLog log;
  HttpHarness harness([](const Scope&, Receive&, Send&) { this_fiber::sleep_for(1h).value(); },
                      with_request_timeout());
  harness.send(get_request);
  harness.advance(1999ms);
  EXPECT_EQ(harness.received(), "");
  harness.advance(1ms);
  EXPECT_EQ(harness.received(), error_503);
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.counters().application_failures.get(), 1U);
  EXPECT_THAT(log.take(), HasSubstr("the application exceeded the request timeout on 'GET / HTTP/1.1': "));
}

TEST(RequestTimeout, IsTheScopesDeadlineAndCountsForEachRequest) {
  HttpHarness harness(
      [&](const Scope& scope, Receive&, Send& send) {
        EXPECT_EQ(scope.extensions.atlas.deadline, Deadline::after(2s));
        this_fiber::sleep_for(1500ms).value();
        answer(send, "ok");
      },
      with_request_timeout());
  for (int i = 0; i < 3; ++i) {
    harness.send(get_request);
    harness.advance(1500ms);
    EXPECT_EQ(harness.take(), ok);
  }
}

TEST(RequestTimeout, ReachesFibersOfTheApplication) {
  HttpHarness harness(
      [](const Scope&, Receive&, Send& send) {
        std::error_code error;
        spawn("child", [&] { error = this_fiber::sleep_for(1h).error(); }).join().value();
        answer(send, error == std::errc::timed_out ? "ok" : "slept");
      },
      with_request_timeout());
  harness.send(get_request);
  harness.advance(2s);
  EXPECT_EQ(harness.received(), error_503) << "the wait for the child is over, too";
}

TEST(RequestTimeout, MayBeAnsweredByTheApplication) {
  HttpHarness harness(
      [](const Scope&, Receive&, Send& send) {
        if (!this_fiber::sleep_for(1h)) answer(send, "too late", 504);
      },
      with_request_timeout());
  harness.send(get_request);
  harness.advance(2s);
  EXPECT_EQ(harness.received(), "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 8\r\n\r\ntoo late");
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(RequestTimeout, CutsAResponseThatHasBegun) {
  HttpHarness harness(
      [](const Scope&, Receive&, Send& send) {
        send(HttpResponseStart{});
        send(HttpResponseBody{.body = "one", .more_body = true});
        this_fiber::sleep_for(1h).value();
      },
      with_request_timeout());
  harness.send(get_request);
  harness.advance(2s);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n");
  EXPECT_TRUE(harness.client().closed());
}

TEST(RequestTimeout, OfASlowBodyIs503) {
  HttpHarness harness(say_ok_after_body, with_request_timeout());
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  harness.advance(2s);
  EXPECT_EQ(harness.received(), error_503);
}

TEST(RequestTimeout, EndsTheWaitForADisconnect) {
  HttpHarness harness(
      [](const Scope&, Receive& receive, Send&) {
        while (std::holds_alternative<HttpRequest>(receive())) continue;
      },
      with_request_timeout());
  harness.send(get_request);
  harness.advance(2s);
  EXPECT_EQ(harness.received(), error_503);
}

// Neither is the client slow then, nor is anything of the body lost.
TEST(HttpTimeout, OfTheApplicationsOwnScopeLeavesTheBodyToTheNextReceive) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    try {
      const DeadlineScope hurry(1s);
      static_cast<void>(read_body(receive));
      ADD_FAILURE() << "the body was there";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::timed_out);
    }
    answer(send, read_body(receive).value_or("gone"));
  });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
  harness.advance(1s);
  harness.send("abcde");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde");
}

TEST(HttpTimeout, OfABodyIsNotPutOffByTheApplicationsScopes) {
  HttpHarness harness([](const Scope&, Receive& receive, Send&) {
    for (;;) {
      try {
        const DeadlineScope hurry(7s);
        if (!read_body(receive)) return;
      } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::timed_out);
      }
    }
  });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  harness.advance(29'999ms);
  EXPECT_EQ(harness.received(), "");
  harness.advance(1ms);
  EXPECT_EQ(harness.received(), error_408);
}

}  // namespace
}  // namespace atlas::asgi
