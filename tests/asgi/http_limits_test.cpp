// Limits of connections: how many there may be, what they may hold, how long one goes on.
#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <atlas/core/event.hpp>

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using ::testing::HasSubstr;
using testing::HttpHarness;
using testing::MemoryPeer;
using testing::plain_options;
using testing::read_body;
using testing::without_dates;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const std::string error_503 =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 24\r\n"
    "connection: close\r\n\r\n503 Service Unavailable\n";

void say_ok(const Scope&, Receive&, Send& send) { answer(send, "ok"); }

ServerOptions with(const ConnectionLimits& limits) {
  auto options = plain_options();
  options.connection_limits = limits;
  return options;
}

ConnectionFacts from(std::string host) { return {.client_host = std::move(host), .client_port = 4000}; }

std::string received(const MemoryPeer& peer) { return without_dates(peer.received()); }

std::string answer_to_new_client(HttpHarness& harness) {
  auto client = harness.connect();
  client.send(get_request);
  harness.run();
  return received(client);
}

/// Answers when told to.
struct Slow {
  Event may_go_on;
  Application application() {
    return [this](const Scope&, Receive&, Send& send) {
      static_cast<void>(may_go_on.wait());
      answer(send, "ok");
    };
  }
};

TEST(HttpLimits, OfConnectionsRefusesWhenAllAreBusy) {
  Slow slow;
  CapturedLog log;
  HttpHarness harness(slow.application(), with({.connections_max = 2}));
  auto first = harness.connect();
  auto second = harness.connect();
  first.send(get_request);
  second.send(get_request);
  harness.run();
  auto third = harness.connect();
  harness.run();
  EXPECT_EQ(received(third), error_503);
  EXPECT_TRUE(third.closed());
  EXPECT_EQ(harness.counters().connections_refused.get(), 1U);
  EXPECT_THAT(log.take(),
              HasSubstr("refused with 503: the limit of connections is reached (client 192.0.2.1; 1 "
                        "since the last such line)"));
  slow.may_go_on.set();
  harness.run();
  EXPECT_EQ(received(first) + received(second), ok + ok);
}

TEST(HttpLimits, OfConnectionsMakesAnIdleOneGo) {
  HttpHarness harness(say_ok, with({.connections_max = 2}));
  auto first = harness.connect();
  first.send(get_request);
  harness.advance(1s);
  auto second = harness.connect();
  second.send(get_request);
  harness.advance(1s);
  auto third = harness.connect();
  third.send(get_request);
  harness.run();
  EXPECT_TRUE(first.closed()) << "it was idle for longest";
  EXPECT_FALSE(second.closed());
  EXPECT_EQ(received(third), ok);
}

TEST(HttpLimits, OfConnectionsPrefersTheIdleOneThatNeverAsked) {
  HttpHarness harness(say_ok, with({.connections_max = 2}));
  auto useful = harness.connect();
  useful.send(get_request);
  harness.run();
  auto silent = harness.connect();
  auto third = harness.connect();
  harness.run();
  EXPECT_TRUE(silent.closed());
  EXPECT_FALSE(useful.closed());
  EXPECT_FALSE(third.closed());
}

TEST(HttpLimits, OfConnectionsFindsAnIdleOneAmongManyThatAreBusy) {
  Slow slow;
  HttpHarness harness(
      [&](const Scope& scope, Receive& receive, Send& send) {
        if (scope.path == "/fast") return say_ok(scope, receive, send);
        slow.application()(scope, receive, send);
      },
      with({.connections_max = 30}));
  std::vector<MemoryPeer> busy;
  for (int i = 0; i < 29; ++i) busy.push_back(harness.connect());
  for (auto& peer : busy) peer.send(get_request);
  auto idle = harness.connect();
  idle.send("GET /fast HTTP/1.1\r\nHost: h\r\n\r\n");
  harness.run();
  auto last = harness.connect();
  harness.run();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(last.closed());
  slow.may_go_on.set();
  harness.run();
}

TEST(HttpLimits, OfOneAddressSparesTheOthers) {
  HttpHarness harness(say_ok, with({.connections_per_address_max = 2}));
  auto first = harness.connect({}, from("192.0.2.1"));
  auto second = harness.connect({}, from("192.0.2.1"));
  auto third = harness.connect({}, from("192.0.2.1"));
  auto other = harness.connect({}, from("192.0.2.9"));
  other.send(get_request);
  harness.run();
  EXPECT_EQ(received(third), error_503);
  EXPECT_FALSE(first.closed()) << "nobody's idle connection makes room for a greedy client";
  EXPECT_EQ(received(other), ok);
}

TEST(HttpLimits, OfOneAddressEndsWithItsConnections) {
  HttpHarness harness(say_ok, with({.connections_per_address_max = 1}));
  auto first = harness.connect({}, from("192.0.2.1"));
  first.close();
  harness.run();
  auto second = harness.connect({}, from("192.0.2.1"));
  second.send(get_request);
  harness.run();
  EXPECT_EQ(received(second), ok);
}

TEST(HttpLimits, RefusalsAreLoggedOnceASecond) {
  CapturedLog log;
  HttpHarness harness(say_ok, with({.connections_per_address_max = 1}));
  auto first = harness.connect();
  for (int i = 0; i < 100; ++i) harness.connect();
  harness.advance(1s);
  harness.connect();
  harness.run();
  const auto lines = log.take();
  EXPECT_THAT(lines, HasSubstr("; 1 since the last such line)"));
  EXPECT_THAT(lines, HasSubstr("; 100 since the last such line)"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_EQ(harness.counters().connections_refused.get(), 101U);
}

TEST(HttpLimits, OfRequestsClosesInGoodOrder) {
  HttpHarness harness(say_ok, with({.requests_per_connection_max = 2}));
  harness.send(get_request);
  EXPECT_EQ(harness.take(), ok);
  harness.send(std::string(get_request) + std::string(get_request));
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
  EXPECT_TRUE(harness.client().input_ended());
}

TEST(HttpLimits, OfBufferedBytesRefusesNewRequests) {
  Slow slow;
  CapturedLog log;
  HttpHarness harness(slow.application(), with({.buffered_bytes_max = std::size_t{3} * (32 + 8) * 1024}));
  std::vector<MemoryPeer> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(harness.connect());
  for (auto& peer : peers) {
    peer.send(get_request);
    harness.run();
  }
  EXPECT_EQ(received(peers[3]), error_503);
  EXPECT_TRUE(peers[3].closed());
  EXPECT_THAT(log.take(), HasSubstr("refused with 503: the limit of buffered bytes is reached"));
  slow.may_go_on.set();
  harness.run();
  EXPECT_EQ(received(peers[0]) + received(peers[2]), ok + ok);
  EXPECT_EQ(answer_to_new_client(harness), ok);
}

TEST(HttpLimits, OfBufferedBytesRefusesHeadsThatDoNotEnd) {
  HttpHarness harness(say_ok, with({.buffered_bytes_max = 100'000}));
  std::vector<MemoryPeer> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(harness.connect());
    slow.back().send("G");
  }
  harness.run();
  for (auto& peer : slow) {
    peer.send("ET / HTTP/1.1\r\nX: " + std::string(30'000, 'x'));
    harness.run();
  }
  EXPECT_EQ(slow[0].received(), "");
  EXPECT_EQ(slow[1].received(), "");
  EXPECT_EQ(received(slow[2]), error_503);
  EXPECT_EQ(received(slow[3]), error_503);
  slow[0].send("\r\nHost: h\r\n\r\n");
  harness.run();
  EXPECT_EQ(received(slow[0]), ok);
  for (auto& peer : slow) peer.close();
  harness.run();
  EXPECT_EQ(answer_to_new_client(harness), ok);
}

TEST(HttpLimits, OfBufferedBytesCountsTheFibersOfRequests) {
  HttpHarness harness(say_ok, with({.buffered_bytes_max = 100'000}));
  std::vector<MemoryPeer> slow;
  for (int i = 0; i < 13; ++i) {
    slow.push_back(harness.connect());
    slow.back().send("G");
    harness.run();
  }
  EXPECT_EQ(answer_to_new_client(harness), error_503);
  slow.front().close();
  harness.run();
  EXPECT_EQ(answer_to_new_client(harness), ok);
}

TEST(HttpLimits, OfBufferedBytesHasRoomForManySmallRequestsThatWait) {
  constexpr std::size_t chunk_bytes = std::size_t{32} * 1024;
  constexpr std::size_t fiber_bytes = std::size_t{8} * 1024;
  constexpr std::size_t clients = 1000;
  Slow slow;
  constexpr std::size_t needed = (ChunkPool::unfitted_max + 4) * chunk_bytes + clients * fiber_bytes;
  HttpHarness harness(slow.application(), with({.buffered_bytes_max = needed}));
  std::vector<MemoryPeer> peers;
  for (std::size_t i = 0; i < clients; ++i) peers.push_back(harness.connect());
  for (auto& peer : peers) {
    peer.send(get_request);
    harness.run();
  }
  slow.may_go_on.set();
  harness.run();
  for (const auto& peer : peers) EXPECT_EQ(received(peer), ok);
}

TEST(HttpLimits, OfBufferedBytesCountsAnswersThatNobodyTakes) {
  HttpHarness harness(
      [](const Scope&, Receive& receive, Send& send) {
        answer(send, std::string(8000, 'x'));
        static_cast<void>(receive());
      },
      with({.buffered_bytes_max = 120'000}));
  auto lazy = harness.connect({.capacity_bytes = 1});
  lazy.stop_reading();
  for (int i = 0; i < 40; ++i) lazy.send(get_request);
  harness.run();
  EXPECT_EQ(answer_to_new_client(harness), error_503);
  lazy.close();
  harness.run();
  EXPECT_EQ(answer_to_new_client(harness).substr(0, 15), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace atlas::asgi
