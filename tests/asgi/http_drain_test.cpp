// Connections when their worker stops.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using testing::HttpHarness;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(HttpDrain, ClosesIdleConnectionsAtOnce) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  auto fresh = harness.connect();
  harness.send(get_request);
  harness.drain(10s);
  EXPECT_EQ(harness.drained(), true);
  EXPECT_TRUE(fresh.closed());
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDrain, LetsRunningRequestsFinishAndSaysThatItCloses) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    static_cast<void>(this_fiber::sleep_for(5s));
    answer(send, "ok");
  });
  harness.send(get_request);
  harness.drain(10s);
  EXPECT_EQ(harness.drained(), std::nullopt);
  harness.advance(5s);
  EXPECT_EQ(harness.drained(), true);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDrain, ClosesBehindAResponseWhoseHeadWasOut) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    static_cast<void>(this_fiber::sleep_for(5s));
    send(HttpResponseBody{.body = "two"});
  });
  harness.send(get_request);
  harness.drain(10s);
  harness.advance(5s);
  EXPECT_EQ(harness.drained(), true);
  EXPECT_TRUE(harness.received().ends_with("3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDrain, CutsWhatIsNotFinishedInTime) {
  bool cancelled = false;
  CapturedLog log;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    cancelled = !this_fiber::sleep_for(1h);
    answer(send, "too late");
  });
  harness.send(get_request);
  harness.drain(10s);
  harness.advance(9s);
  EXPECT_EQ(harness.drained(), std::nullopt);
  harness.advance(1s);
  EXPECT_EQ(harness.drained(), false);
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(harness.received(), "");
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(log.take(), "");
}

TEST(HttpDrain, TwoAtOnceBothEndAtTheEarlierDeadline) {
  HttpHarness harness([](const Scope&, Receive&, Send&) { static_cast<void>(this_fiber::sleep_for(1h)); });
  harness.send(get_request);
  harness.drain(10s);
  harness.drain(1s);
  harness.advance(1s);
  EXPECT_EQ(harness.drained(), false);
}

TEST(HttpDrain, WhatACancelledApplicationThrowsIsNoFailure) {
  CapturedLog log;
  HttpHarness harness([&](const Scope&, Receive&, Send&) { this_fiber::sleep_for(1h).value(); });
  harness.send(get_request);
  harness.drain(1s);
  harness.advance(1s);
  EXPECT_EQ(harness.drained(), false);
  EXPECT_EQ(log.take(), "");
  EXPECT_EQ(harness.counters().application_failures.get(), 0U);
}

TEST(HttpDrain, CutsAClientThatReadsNothing) {
  HttpHarness harness([&](const Scope&, Receive&, Send& send) { answer(send, std::string(1 << 20, 'x')); });
  harness.client().stop_reading();
  harness.send(get_request);
  harness.drain(5s);
  harness.advance(5s);
  EXPECT_EQ(harness.drained(), false);
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDrain, CutsAHeadThatDoesNotArrive) {
  HttpHarness harness([&](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  harness.send("GET / HT");
  harness.drain(5s);
  EXPECT_EQ(harness.drained(), std::nullopt);
  harness.advance(5s);
  EXPECT_EQ(harness.drained(), false);
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpDrain, ServesARequestWhoseHeadHadBegun) {
  HttpHarness harness([&](const Scope&, Receive&, Send& send) { answer(send, "ok"); });
  harness.send("GET / HT");
  harness.drain(5s);
  harness.send("TP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
  EXPECT_EQ(harness.drained(), true);
}

}  // namespace
}  // namespace atlas::asgi
