// One connection, several requests.
#include "support/http_harness.hpp"

#include <atlas/core/event.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_local.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::HttpHarness;
using testing::MemoryPeer;
using testing::read_body;

constexpr std::string_view get_request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

void say_path(const Scope& scope, Receive&, Send& send) { answer(send, scope.path); }

/// Answers "<path>:<body>".
void echo(const Scope& scope, Receive& receive, Send& send) {
  const std::string path(scope.path);
  answer(send, path + ":" + read_body(receive).value_or("(left)"));
}

std::string response(std::string_view body) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(HttpKeepAlive, ConnectionServesOneRequestAfterAnother) {
  HttpHarness harness(say_path);
  for (int i = 0; i < 3; ++i) {
    harness.send(get_request);
    EXPECT_EQ(harness.take(), response("/a"));
  }
  EXPECT_FALSE(harness.client().closed());
  EXPECT_EQ(harness.counters().requests.get(), 3U);
  EXPECT_EQ(harness.counters().connections_accepted.get(), 1U);
}

TEST(HttpKeepAlive, IdleConnectionHoldsNoFiber) {
  HttpHarness harness(say_path);
  harness.send(get_request);
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 0U);
  EXPECT_EQ(harness.connections_open(), 1U);
}

TEST(HttpKeepAlive, ResponsesHaveDateAndServer) {
  HttpHarness harness(say_path, ServerOptions{});
  harness.send(get_request);
  const std::string received(harness.client().received());
  EXPECT_NE(received.find("\r\nserver: atlas\r\n"), std::string::npos) << received;
  EXPECT_NE(received.find("\r\ndate: "), std::string::npos) << received;
  EXPECT_NE(received.find(" GMT\r\n"), std::string::npos) << received;
}

TEST(HttpKeepAlive, PipelinedRequestsAreAnsweredInOrderByOneWrite) {
  HttpHarness harness(say_path);
  auto client = harness.connect({.write_fault = {.call = 2}});  // a second write would break the connection
  std::string requests;
  std::string responses;
  for (int i = 0; i < 16; ++i) {
    const std::string path = "/" + std::to_string(i);
    requests += "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    responses += response(path);
  }
  client.send(requests);
  harness.run();
  EXPECT_EQ(testing::without_dates(client.received()), responses);
  EXPECT_FALSE(client.closed());
}

TEST(HttpKeepAlive, RequestsMayBeSplitAnywhere) {
  const std::string requests =
      "POST /first%20one HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nfour";
  const std::string responses = response("/first one:abcde") + response("/2:four");
  for (std::size_t offset = 0; offset <= requests.size(); ++offset) {
    HttpHarness harness(echo);
    harness.send(requests.substr(0, offset));
    harness.send(requests.substr(offset));
    ASSERT_EQ(harness.received(), responses) << "split at " << offset;
  }
}

TEST(HttpKeepAlive, RequestsMayComeByteByByte) {
  const std::string requests =
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n"
      "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
  HttpHarness harness(echo);
  auto client = harness.connect({.delivery_bytes_max = 1});
  client.send(requests);
  harness.run();
  EXPECT_EQ(testing::without_dates(client.received()), response("/a:abc") + response("/b:"));
}

TEST(HttpKeepAlive, ClientMayCloseAfterTheResponse) {
  HttpHarness harness(say_path);
  harness.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n/a");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpKeepAlive, NothingIsServedBehindARequestToClose) {
  HttpHarness harness(say_path);
  harness.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(harness.counters().requests.get(), 1U);
}

TEST(HttpKeepAlive, StrayLineEndBehindARequestToCloseDoesNotCostTheResponse) {
  HttpHarness harness(say_path);
  harness.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n/a");
}

TEST(HttpKeepAlive, EmptyLinesBetweenRequestsAreSkipped) {
  HttpHarness harness(say_path);
  harness.send("\r\n" + std::string(get_request) + "\r\n");
  EXPECT_EQ(harness.take(), response("/a"));
  harness.send(get_request);
  EXPECT_EQ(harness.take(), response("/a"));
}

TEST(HttpKeepAlive, AnEmptyLineMayComeInTwoParts) {
  HttpHarness harness(say_path);
  harness.send("\r");
  harness.send("\n" + std::string(get_request) + "\r");
  EXPECT_EQ(harness.take(), response("/a"));
  harness.send("\n");
  harness.advance(std::chrono::seconds(30));
  harness.send(get_request);
  EXPECT_EQ(harness.take(), response("/a"));
}

TEST(HttpKeepAlive, OldClientIsClosed) {
  HttpHarness harness(say_path);
  harness.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n/a");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpKeepAlive, OldClientMayStay) {
  HttpHarness harness(say_path);
  for (int i = 0; i < 2; ++i) {
    harness.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(harness.take(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n/a");
  }
  EXPECT_FALSE(harness.client().closed());
}

TEST(HttpKeepAlive, ApplicationMayClose) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"Connection", "close"}}});
    send(HttpResponseBody{});
  });
  harness.send(get_request);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpKeepAlive, AFloodOfRequestsTakesTurnsWithOtherClients) {
  std::size_t flooded = 0;
  std::size_t flooded_before_other = 0;
  HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    if (scope.path == "/other") {
      flooded_before_other = flooded;
    } else {
      ++flooded;
    }
    answer(send, "ok");
  });
  auto flood = harness.connect();
  auto other = harness.connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  flood.send(requests);
  other.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
  harness.run();
  EXPECT_EQ(flooded, 1000U);
  EXPECT_GT(flooded_before_other, 0U) << "the flood was not there first";
  EXPECT_LE(flooded_before_other, 64U);
}

// More than a turn of the loop serves: requests come while fibers of others still write.
TEST(HttpKeepAlive, NoRequestOfHundredsOfClientsIsOverlooked) {
  constexpr std::size_t requests_each = 5;
  HttpHarness harness(say_path);
  struct Client {
    MemoryPeer peer;
    std::size_t sent = 0;
  };
  std::vector<Client> clients;
  for (int i = 0; i < 700; ++i) clients.push_back({harness.connect()});
  const auto send_where_answered = [&] {
    for (auto& client : clients) {
      const bool answered = client.sent == 0 || !client.peer.received().empty();
      if (!answered || client.sent == requests_each) continue;
      client.peer.discard_received();
      client.peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      ++client.sent;
    }
  };
  for (int turn = 0; turn < 500; ++turn) {
    send_where_answered();
    harness.loop().scheduler().turn(false);
  }
  harness.run();
  for (const auto& client : clients) {
    ASSERT_EQ(client.sent, requests_each);
    ASSERT_TRUE(client.peer.received().ends_with("\r\n\r\n/"));
  }
}

TEST(HttpKeepAlive, ClientsThatNeedNotWaitShareAFiber) {
  std::vector<std::uint64_t> fibers;
  HttpHarness harness([&](const Scope& scope, Receive& receive, Send& send) {
    fibers.push_back(this_fiber::id());
    say_path(scope, receive, send);
  });
  std::vector<MemoryPeer> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(harness.connect());
  for (auto& client : clients) client.send(get_request);
  harness.run();
  EXPECT_EQ(fibers, (std::vector<std::uint64_t>{fibers[0], fibers[0], fibers[0]}));
  for (auto& client : clients) EXPECT_EQ(testing::without_dates(client.received()), response("/a"));
}

TEST(HttpKeepAlive, ClientThatWaitsHoldsUpNobodyInLine) {
  Event released;
  HttpHarness harness([&](const Scope& scope, Receive& receive, Send& send) {
    if (scope.path == "/wait") static_cast<void>(released.wait());
    say_path(scope, receive, send);
  });
  auto before = harness.connect();
  auto waiting = harness.connect();
  auto behind = harness.connect();
  before.send(get_request);
  waiting.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  behind.send(get_request);
  harness.run();
  EXPECT_EQ(testing::without_dates(before.received()), response("/a"));
  EXPECT_EQ(testing::without_dates(behind.received()), response("/a"));
  EXPECT_EQ(waiting.received(), "");
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 1U);

  harness.loop().run([&] { released.set(); });
  EXPECT_EQ(testing::without_dates(waiting.received()), response("/wait"));
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 0U);
}

TEST(HttpKeepAlive, AnswersDoNotWaitForManyRequestsThatTakeLong) {
  std::vector<MemoryPeer> clients;
  std::size_t served = 0;
  std::size_t served_before_first_answer = 0;
  HttpHarness* all = nullptr;
  HttpHarness harness([&](const Scope& scope, Receive& receive, Send& send) {
    if (clients.front().received().empty()) served_before_first_answer = ++served;
    all->loop().driver().compute(std::chrono::milliseconds(1));
    say_path(scope, receive, send);
  });
  all = &harness;
  for (int i = 0; i < 64; ++i) clients.push_back(harness.connect());
  for (auto& client : clients) client.send(get_request);
  harness.run();
  EXPECT_GT(served_before_first_answer, 1U);
  EXPECT_LE(served_before_first_answer, 16U);
}

// The fiber of who is next in line is started in the middle of another client's request.
TEST(HttpKeepAlive, ClientInLineInheritsNothingOfTheOneThatWaits) {
  static constexpr FiberLocal<int> mark;
  const auto short_while = std::chrono::seconds(1);
  Event released;
  int marks_seen = 0;
  bool timed_out = false;
  HttpHarness harness([&](const Scope& scope, Receive& receive, Send& send) {
    if (scope.path == "/wait") {
      const FiberLocal<int>::Scope marked(mark, 1);
      const DeadlineScope in_time(short_while);
      timed_out = !released.wait();
    } else {
      marks_seen += mark.get() != nullptr ? 1 : 0;
      if (released.wait()) say_path(scope, receive, send);
    }
  });
  auto waiting = harness.connect();
  auto behind = harness.connect();
  waiting.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  behind.send(get_request);
  harness.run();
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 2U);
  harness.advance(2 * short_while);
  EXPECT_TRUE(timed_out);
  EXPECT_EQ(marks_seen, 0);
  harness.loop().run([&] { released.set(); });
  harness.run();
  EXPECT_EQ(testing::without_dates(behind.received()), response("/a"));
}

// Its answer does not fit into what the system takes: it gets a fiber that waits, and the others do not.
TEST(HttpKeepAlive, ClientThatReadsNoAnswerHoldsUpNobodyInLine) {
  HttpHarness harness(say_path);
  auto slow = harness.connect({.capacity_bytes = 10});
  slow.stop_reading();
  auto behind = harness.connect();
  slow.send(get_request);
  behind.send(get_request);
  harness.run();
  EXPECT_EQ(testing::without_dates(behind.received()), response("/a"));
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 1U);
  slow.send(get_request);  // while it waits
  slow.resume_reading();
  harness.run();
  EXPECT_EQ(testing::without_dates(slow.received()), response("/a") + response("/a"));
  EXPECT_EQ(harness.loop().scheduler().fibers_alive(), 0U);
}

}  // namespace
}  // namespace atlas::asgi
