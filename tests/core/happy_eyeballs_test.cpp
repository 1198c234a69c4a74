// In virtual time, with connections that come and fail when the test says so.
#include <atlas/core/happy_eyeballs.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::make_memory_stream;
using testing::MemoryPeer;
using testing::TestLoop;

SocketAddress address(std::string_view host) { return SocketAddress::ip(host, 80).value(); }

const SocketAddress six_a = address("2001:db8::a");
const SocketAddress six_b = address("2001:db8::b");
const SocketAddress four_a = address("192.0.2.1");
const SocketAddress four_b = address("192.0.2.2");

TEST(InterleaveFamilies, FamiliesTakeTurnsBeginningWithTheFirst) {
  const auto order = [](std::vector<SocketAddress> addresses) { return interleave_families(addresses); };
  using Order = std::vector<SocketAddress>;
  EXPECT_EQ(order({}), Order{});
  EXPECT_EQ(order({four_a}), Order{four_a});
  EXPECT_EQ(order({four_b, four_a}), (Order{four_b, four_a}));
  EXPECT_EQ(order({six_a, six_b, four_a}), (Order{six_a, four_a, six_b}));
  EXPECT_EQ(order({four_a, six_a, six_b}), (Order{four_a, six_a, six_b}));
  EXPECT_EQ(order({six_a, six_b, four_a, four_b}), (Order{six_a, four_a, six_b, four_b}));
  EXPECT_EQ(order({four_b, four_a, six_b, six_a}), (Order{four_b, six_b, four_a, six_a}));
  EXPECT_EQ(order({six_a, four_a, four_b}), (Order{six_a, four_a, four_b}));
}

struct Plan {
  Duration after = Duration::zero();
  std::error_code error;  // none: it connects
};

constexpr Duration never = 24h;

/// Connects in memory, as planned for each address, and notes who was tried and when.
class PlannedConnector final : public Connector {
 public:
  explicit PlannedConnector(TestLoop& loop) : loop_(loop), begin_(loop.now()) {}

  Result<StreamPtr> connect(const SocketAddress& to) override {
    tried.emplace_back(to.host(),
                       std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - begin_));
    const Plan plan = plans.at(to.host());
    if (auto waited = this_fiber::sleep_for(plan.after); !waited) {
      given_up.push_back(to.host());
      return Unexpected(waited.error());
    }
    if (plan.error) return Unexpected(plan.error);
    auto [stream, peer] = make_memory_stream(loop_.scheduler(), {.peer_address = to});
    peers.emplace(to.host(), peer);
    return std::move(stream);
  }

  std::map<std::string, Plan> plans;
  std::vector<std::pair<std::string, std::chrono::milliseconds>> tried;
  std::vector<std::string> given_up;
  std::map<std::string, MemoryPeer> peers;

 private:
  TestLoop& loop_;
  TimePoint begin_;
};

using Tried = decltype(PlannedConnector::tried);

class ConnectFirst : public ::testing::Test {
 protected:
  Result<StreamPtr> race(std::vector<SocketAddress> addresses, Deadline deadline = {}) {
    return connect_first(addresses, connector, 250ms, deadline);
  }
  static std::error_code error(std::errc code) { return std::make_error_code(code); }

  TestLoop loop;
  PlannedConnector connector{loop};
};

TEST_F(ConnectFirst, TakesTheFirstAddressWhenItAnswersInTime) {
  connector.plans = {{"2001:db8::a", {249ms, {}}}, {"192.0.2.1", {0ms, {}}}};
  loop.run([&] {
    EXPECT_EQ(race({six_a, four_a}).value()->peer_address(), six_a);
    EXPECT_EQ(connector.tried, (Tried{{"2001:db8::a", 0ms}}));
  });
}

TEST_F(ConnectFirst, TriesTheNextAfterTheDelayAndGivesTheSlowOneUp) {
  connector.plans = {{"2001:db8::a", {never, {}}}, {"192.0.2.1", {100ms, {}}}};
  loop.run([&] {
    EXPECT_EQ(race({six_a, four_a}).value()->peer_address(), four_a);
    EXPECT_EQ(connector.tried, (Tried{{"2001:db8::a", 0ms}, {"192.0.2.1", 250ms}}));
    EXPECT_EQ(connector.given_up, std::vector<std::string>{"2001:db8::a"});
  });
}

TEST_F(ConnectFirst, TheFirstMayStillWinAfterTheSecondHasBegun) {
  connector.plans = {{"2001:db8::a", {300ms, {}}}, {"192.0.2.1", {100ms, {}}}};
  loop.run([&] {
    EXPECT_EQ(race({six_a, four_a}).value()->peer_address(), six_a);
    EXPECT_EQ(connector.given_up, std::vector<std::string>{"192.0.2.1"});
  });
}

TEST_F(ConnectFirst, TriesTheNextAtOnceWhenOneFails) {
  connector.plans = {{"2001:db8::a", {10ms, error(std::errc::connection_refused)}},
                     {"192.0.2.1", {never, {}}},
                     {"2001:db8::b", {5ms, error(std::errc::connection_refused)}},
                     {"192.0.2.2", {1ms, {}}}};
  loop.run([&] {
    EXPECT_EQ(race({six_a, four_a, six_b, four_b}).value()->peer_address(), four_b);
    EXPECT_EQ(
        connector.tried,
        (Tried{{"2001:db8::a", 0ms}, {"192.0.2.1", 10ms}, {"2001:db8::b", 260ms}, {"192.0.2.2", 265ms}}));
  });
}

TEST_F(ConnectFirst, OfTwoThatConnectTogetherOneIsClosed) {
  connector.plans = {{"2001:db8::a", {350ms, {}}}, {"192.0.2.1", {100ms, {}}}};
  loop.run([&] {
    const auto stream = race({six_a, four_a}).value();
    this_fiber::sleep_for(1ms).value();
    EXPECT_FALSE(connector.peers.at(stream->peer_address().host()).closed());
    for (const auto& [host, peer] : connector.peers) {
      EXPECT_EQ(peer.closed(), host != stream->peer_address().host()) << host;
    }
  });
}

TEST_F(ConnectFirst, WhenAllFailTheLastErrorFromAfarIsTold) {
  const auto refused = error(std::errc::connection_refused);
  const auto reset = error(std::errc::connection_reset);
  const auto no_route = error(std::errc::network_unreachable);
  const auto outcome_of = [&](std::error_code first, std::error_code second) {
    connector.plans = {{"2001:db8::a", {1ms, first}}, {"192.0.2.1", {1ms, second}}};
    return race({six_a, four_a}).error();
  };
  loop.run([&] {
    EXPECT_EQ(outcome_of(no_route, refused), refused);
    EXPECT_EQ(outcome_of(refused, no_route), refused);
    EXPECT_EQ(outcome_of(refused, reset), reset);
    EXPECT_EQ(outcome_of(no_route, no_route), no_route);
  });
}

TEST_F(ConnectFirst, WaitsForTheSlowOneWhenTheLastHasFailed) {
  connector.plans = {{"2001:db8::a", {5s, {}}}, {"192.0.2.1", {0ms, error(std::errc::connection_refused)}}};
  loop.run([&] { EXPECT_EQ(race({six_a, four_a}).value()->peer_address(), six_a); });
}

TEST_F(ConnectFirst, GivesAllUpAtTheDeadline) {
  connector.plans = {{"2001:db8::a", {never, {}}}, {"192.0.2.1", {never, {}}}, {"192.0.2.2", {0ms, {}}}};
  loop.run([&] {
    const auto begin = loop.now();
    EXPECT_EQ(race({six_a, four_a, four_b}, Deadline::after(400ms)).error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - begin, 400ms);
    EXPECT_EQ(connector.tried.size(), 2U);
    EXPECT_EQ(connector.given_up.size(), 2U);
  });
}

TEST_F(ConnectFirst, ObeysADeadlineScope) {
  connector.plans = {{"2001:db8::a", {never, {}}}, {"192.0.2.1", {never, {}}}};
  loop.run([&] {
    const DeadlineScope deadline(250ms);  // when the second attempt would begin
    EXPECT_EQ(race({six_a, four_a}).error(), std::errc::timed_out);
    EXPECT_EQ(race({six_a}).error(), std::errc::timed_out);
  });
}

TEST_F(ConnectFirst, IsCancelledWithAllItsAttempts) {
  connector.plans = {{"2001:db8::a", {never, {}}}, {"192.0.2.1", {never, {}}}};
  loop.run([&] {
    std::error_code seen;
    auto racing = spawn("race", [&] { seen = race({six_a, four_a}).error(); });
    this_fiber::sleep_for(300ms).value();
    racing.cancel();
    racing.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
    EXPECT_EQ(connector.given_up.size(), 2U);
  });
}

TEST_F(ConnectFirst, ACancellationInTheTurnOfTheWinLosesNoConnection) {
  connector.plans = {{"2001:db8::a", {10ms, {}}}, {"192.0.2.1", {never, {}}}};
  loop.run([&] {
    auto racing = spawn("race", [&] {
      const auto stream = race({six_a, four_a});
      EXPECT_TRUE(stream || stream.error() == std::errc::operation_canceled);
    });
    this_fiber::sleep_for(10ms).value();
    racing.cancel();
    racing.join().value();
    this_fiber::sleep_for(1ms).value();
    for (const auto& [host, peer] : connector.peers) EXPECT_TRUE(peer.closed()) << host;
  });
}

TEST_F(ConnectFirst, TheDelayIsNeverLessThanTheLeastAllowed) {
  connector.plans = {{"2001:db8::a", {never, {}}}, {"192.0.2.1", {0ms, {}}}};
  loop.run([&] {
    EXPECT_TRUE(connect_first(std::vector{six_a, four_a}, connector, 0ms));
    EXPECT_EQ(connector.tried[1].second, 10ms);
  });
}

TEST_F(ConnectFirst, WhatAnAttemptThrowsComesOut) {
  class Thrower final : public Connector {
   public:
    Result<StreamPtr> connect(const SocketAddress&) override { throw std::runtime_error("no luck"); }
  };
  loop.run([&] {
    Thrower thrower;
    EXPECT_THROW(static_cast<void>(connect_first(std::vector{six_a, four_a}, thrower, 250ms)),
                 std::runtime_error);
  });
}

}  // namespace
}  // namespace atlas
