// Clients that leave.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using testing::HttpHarness;
using testing::read_body;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

bool is_disconnect(const ReceivedMessage& message) { return std::holds_alternative<HttpDisconnect>(message); }

/// Reads the request, then waits for the client to leave, and returns without an answer.
auto waiting(bool& left) {
  return [&left](const Scope&, Receive& receive, Send&) {
    static_cast<void>(read_body(receive));
    left = is_disconnect(receive());
  };
}

TEST(HttpDisconnect, EndsAReceiveThatWaitsForIt) {
  bool left = false;
  CapturedLog log;
  HttpHarness harness(waiting(left));
  harness.send(get_request);
  EXPECT_FALSE(left);
  harness.client().close();
  harness.run();
  EXPECT_TRUE(left);
  EXPECT_EQ(harness.connections_open(), 0U);
  EXPECT_EQ(log.take(), "");  // to leave without an answer then is no failure
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpDisconnect, ByResetEndsAReceiveThatWaitsForIt) {
  bool left = false;
  HttpHarness harness(waiting(left));
  harness.send(get_request);
  harness.client().reset();
  harness.run();
  EXPECT_TRUE(left);
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpDisconnect, IsNotMistakenForAPipelinedRequest) {
  bool left = false;
  HttpHarness harness(waiting(left));
  harness.send(get_request);
  harness.send(get_request);
  EXPECT_FALSE(left);
  harness.client().close();
  harness.run();
  EXPECT_TRUE(left);
}

TEST(HttpDisconnect, BeforeTheWaitBeginsEndsItAtOnce) {
  bool left = false;
  HttpHarness harness([&](const Scope&, Receive& receive, Send&) {
    static_cast<void>(this_fiber::sleep_for(1s));
    static_cast<void>(read_body(receive));
    left = is_disconnect(receive());
  });
  harness.send(get_request);
  harness.client().close();
  harness.advance(1s);
  EXPECT_TRUE(left);
}

TEST(HttpDisconnect, DuringTheBodyEndsReceive) {
  std::optional<std::string> body;
  HttpHarness harness(
      [&](const Scope&, Receive& receive, Send&) { body = read_body(receive).value_or("(left)"); });
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_FALSE(body);
  harness.client().shutdown_write();
  harness.run();
  EXPECT_EQ(body, "(left)");
  EXPECT_EQ(harness.received(), "");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDisconnect, MakesSendThrowAndIsNoFailure) {
  std::string text;
  CapturedLog log;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    for (int i = 0; i < 100; ++i) {
      static_cast<void>(this_fiber::sleep_for(1s));
      try {
        send(HttpResponseBody{.body = "tick", .more_body = true});
      } catch (const std::system_error& error) {
        text = error.what();
        throw;
      }
    }
  });
  harness.send(get_request);
  harness.advance(3s);
  harness.client().close();
  harness.advance(3s);
  EXPECT_EQ(text.substr(0, 18), "the client is gone");
  EXPECT_EQ(harness.connections_open(), 0U);
  EXPECT_EQ(log.take(), "");
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpDisconnect, ByResetMakesTheFirstSendThrow) {
  int sent = 0;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    static_cast<void>(this_fiber::sleep_for(1s));
    send(HttpResponseStart{});
    ++sent;
  });
  harness.send(get_request);
  harness.client().reset();
  harness.advance(1s);
  EXPECT_EQ(sent, 0);
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpDisconnect, MayBeSwallowedByTheApplication) {
  CapturedLog log;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    static_cast<void>(this_fiber::sleep_for(1s));
    EXPECT_THROW(answer(send, std::string(100'000, 'x')), Disconnected);
  });
  harness.send(get_request);
  harness.client().close();
  harness.advance(1s);
  EXPECT_EQ(log.take(), "");
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpDisconnect, WhileALargePieceIsSentMakesSendThrow) {
  bool thrown = false;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    try {
      answer(send, std::string(1 << 20, 'x'));
    } catch (const Disconnected&) {
      thrown = true;
      throw;
    }
  });
  harness.client().stop_reading();
  harness.send(get_request);
  harness.client().reset();
  harness.run();
  EXPECT_TRUE(thrown);
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpDisconnect, OfItsOwnDirectionStillGetsTheClientItsAnswer) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    static_cast<void>(this_fiber::sleep_for(1s));
    answer(send, "ok");
  });
  harness.client().send(get_request);
  harness.client().shutdown_write();
  harness.advance(1s);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDisconnect, WhileIdleClosesTheConnection) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  harness.send(get_request);
  harness.client().close();
  harness.run();
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpDisconnect, InsideAHeadClosesTheConnectionSilently) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  harness.send("GET / HT");
  harness.client().shutdown_write();
  harness.run();
  EXPECT_EQ(harness.received(), "");
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(HttpDisconnect, IsWhatReceiveGivesOnceTheResponseIsComplete) {
  int disconnects = 0;
  HttpHarness harness([&](const Scope&, Receive& receive, Send& send) {
    answer(send, "ok");
    for (int i = 0; i < 2; ++i) disconnects += is_disconnect(receive()) ? 1 : 0;
  });
  harness.send(get_request);
  EXPECT_EQ(disconnects, 2);
  EXPECT_FALSE(harness.client().closed());
}

TEST(HttpDisconnect, IsToldToAFiberThatWaitsWhileAnotherCompletesTheResponse) {
  bool told = false;
  HttpHarness harness([&](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(read_body(receive));
    FiberGroup group;
    group.spawn("listener", [&] { told = is_disconnect(receive()); });
    static_cast<void>(this_fiber::sleep_for(1s));
    EXPECT_FALSE(told);
    answer(send, "ok");
    group.join().value();
  });
  harness.send(get_request);
  harness.advance(1s);
  EXPECT_TRUE(told);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

TEST(HttpDisconnect, IsNotClaimedWhenTheApplicationsOwnDeadlineEndsTheWait) {
  HttpHarness harness([&](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(read_body(receive));
    {
      const DeadlineScope deadline(1s);
      EXPECT_THROW(static_cast<void>(receive()), std::system_error);
    }
    answer(send, "ok");
  });
  harness.send(get_request);
  harness.advance(1s);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

/// Echoes in pieces, with pauses: it reads, writes and sleeps in turn.
void echo_slowly(const Scope&, Receive& receive, Send& send) {
  send(HttpResponseStart{});
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<HttpRequest>(&message);
    if (piece == nullptr) return;
    more = piece->more_body;
    send(HttpResponseBody{.body = piece->body, .more_body = true});
    static_cast<void>(this_fiber::sleep_for(1ms));
  }
  send(HttpResponseBody{.body = std::string(20'000, 'x')});
}

/// Two requests over a connection that breaks as `options` say. Whether it broke.
bool breaks(const testing::MemoryStreamOptions& options) {
  HttpHarness harness(echo_slowly);
  auto client = harness.connect(options);
  for (int i = 0; i < 2; ++i) {
    for (const auto* piece : {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n", "one", "two"}) {
      client.send(piece);
      harness.advance(10ms);
    }
  }
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 0U);
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
  const bool broken = harness.connections_open() == 0;
  EXPECT_TRUE(broken || client.received().ends_with("xxx\r\n0\r\n\r\n"));
  return broken;
}

TEST(HttpDisconnect, MayComeWithAnyWrite) {
  std::size_t call = 1;
  while (breaks({.write_fault = {.call = call}})) ++call;
  EXPECT_GT(call, 4U);
}

TEST(HttpDisconnect, MayComeWithAnyRead) {
  std::size_t call = 1;
  while (breaks({.read_fault = {.call = call}})) ++call;
  EXPECT_EQ(call, 7U);  // six pieces were sent
}

// What the server answers by itself is no way around: a failure there would end the worker's other fibers.
TEST(HttpDisconnect, BeforeAnAnswerOfTheServersOwnConcernsNobodyElse) {
  HttpHarness harness([](const Scope& scope, Receive&, Send& send) {
    if (scope.path == "/slow" && !this_fiber::sleep_for(1s)) return;
    answer(send, "ok");
  });
  auto other = harness.connect();
  other.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  // Behind so many requests others have their turn, and what was answered is written: to nobody.
  auto leaving = harness.connect({.write_fault = {.call = 1}});
  std::string requests;
  for (int i = 0; i < 63; ++i) requests += get_request;
  leaving.send(requests + "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
  harness.run();
  EXPECT_TRUE(leaving.closed());
  harness.advance(1s);
  EXPECT_EQ(other.received().substr(0, 15), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace atlas::asgi
