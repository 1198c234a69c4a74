// What a simulated network does to connections, and never does.
#include "support/simulated_world.hpp"

#include <atlas/core/connect.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/name_service.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/tcp_stream.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::NetworkWeather;
using testing::SimulatedWorld;

SocketAddress server_address() { return SocketAddress::ip("10.0.0.80", 80).value(); }

struct Pair {
  StreamPtr client;
  StreamPtr server;
};

Pair connected(Listener& listener) {
  auto client = connect(listener.address()).value();
  auto server = adopt_socket(listener.accept().value()).value();
  return {std::move(client), std::move(server)};
}

/// Runs `body` with both ends of a connection.
template <class Body>
void with_connection(SimulatedWorld& world, Body body) {
  world.run([&] {
    auto listener = Listener::bind(server_address()).value();
    body(connected(listener));
  });
}

std::string read_all(Stream& stream) {
  std::string text;
  for (;;) {
    auto chunk = stream.read_chunk().value();
    if (chunk.empty()) return text;
    text.append(chunk.bytes().data(), chunk.bytes().size());
  }
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

TEST(SimulatedNetwork, CarriesBytesBothWays) {
  SimulatedWorld world;
  with_connection(world, [](const Pair& pair) {
    pair.client->write("question").value();
    ASSERT_TRUE(pair.client->shutdown_write());
    EXPECT_EQ(read_all(*pair.server), "question");
    pair.server->write("answer").value();
    ASSERT_TRUE(pair.server->shutdown_write());
    EXPECT_EQ(read_all(*pair.client), "answer");
  });
}

TEST(SimulatedNetwork, KeepsTheOrderOfAWayWhateverTheWeather) {
  SimulatedWorld world(
      {.seed = 11, .weather = {.window_bytes = 1000, .partial_writes = 700, .partial_reads = 700}});
  const auto sent = pattern(50'000);
  with_connection(world, [&](const Pair& pair) {
    auto writer = spawn("writer", [&] {
      pair.client->write(sent).value();
      pair.client->shutdown_write().value();
    });
    EXPECT_EQ(read_all(*pair.server), sent);
    writer.join().value();
  });
  EXPECT_EQ(world.network().totals().bytes_written, sent.size());
  EXPECT_EQ(world.network().totals().bytes_delivered, sent.size());
}

TEST(SimulatedNetwork, AWriterWaitsForItsReader) {
  SimulatedWorld world({.weather = {.window_bytes = 1000}});
  with_connection(world, [](const Pair& pair) {
    const auto bytes = pattern(1'000'000);
    EXPECT_EQ(pair.client->write(bytes, {.deadline = Deadline::after(1min)}).error(), std::errc::timed_out);
  });
}

TEST(SimulatedNetwork, TakesTimeBothWays) {
  SimulatedWorld world({.weather = {.latency_min = 10ms, .latency_max = 20ms}});
  with_connection(world, [](const Pair& pair) {
    const auto begin = Deadline::after(0s).when();
    pair.client->write("?").value();
    static_cast<void>(pair.server->read_chunk().value());
    pair.server->write("!").value();
    static_cast<void>(pair.client->read_chunk().value());
    EXPECT_GE(Deadline::after(0s).when() - begin, 20ms);
  });
}

TEST(SimulatedNetwork, WhoClosesOverUnreadBytesResets) {
  SimulatedWorld world;
  with_connection(world, [&](Pair pair) {
    EXPECT_FALSE(pair.client->write(pattern(500'000), {.deadline = Deadline::after(1s)}));
    pair.server.reset();
  });
  EXPECT_EQ(world.network().totals().resets, 1U);
  const auto& totals = world.network().totals();
  EXPECT_EQ(totals.bytes_written, totals.bytes_delivered + totals.bytes_lost);
}

TEST(SimulatedNetwork, WhatWasWrittenBeforeACloseArrives) {
  SimulatedWorld world;
  with_connection(world, [](Pair pair) {
    pair.server->write("goodbye").value();
    pair.server.reset();
    EXPECT_EQ(read_all(*pair.client), "goodbye");
  });
}

TEST(SimulatedNetwork, ResetsBreakBothEnds) {
  SimulatedWorld world({.weather = {.resets = 1000}});
  with_connection(world, [](const Pair& pair) {
    pair.client->write("x").value();
    EXPECT_EQ(pair.server->read_chunk().error(), std::errc::connection_reset);
    EXPECT_EQ(pair.client->read_chunk().error(), std::errc::connection_reset);
    EXPECT_FALSE(pair.client->write("y"));
  });
}

TEST(SimulatedNetwork, NothingArrivesBehindAReset) {
  SimulatedWorld world({.seed = 3, .weather = {.latency_min = 1ms, .latency_max = 50ms, .resets = 10}});
  const auto sent = pattern(300'000);
  for (int i = 0; i < 50; ++i) {
    with_connection(world, [&](const Pair& pair) {
      auto writer = spawn("writer", [&] {
        for (std::size_t at = 0; at < sent.size(); at += 1000) {
          if (!pair.client->write(std::string_view(sent).substr(at, 1000))) return;
          this_fiber::sleep_for(2ms).value();
        }
        pair.client->abort();
      });
      std::string got;
      for (;;) {
        this_fiber::sleep_for(100ms).value();  // more waits than is read ahead
        auto chunk = pair.server->read_chunk();
        if (!chunk || chunk->empty()) break;
        got.append(chunk->bytes().data(), chunk->bytes().size());
      }
      EXPECT_TRUE(sent.starts_with(got)) << got.size();
      writer.join().value();
    });
  }
}

TEST(SimulatedNetwork, NobodyListensNobodyConnects) {
  SimulatedWorld world;
  world.run([] { EXPECT_EQ(connect(server_address()).error(), std::errc::connection_refused); });
}

TEST(SimulatedNetwork, AFullBacklogIsTriedAgain) {
  SimulatedWorld world;
  world.run([] {
    auto listener = Listener::bind(server_address(), {.backlog = 1}).value();
    const auto first = connect(listener.address()).value();
    auto second = spawn("second", [&] { static_cast<void>(connect(listener.address()).value()); });
    EXPECT_EQ(second.join(Deadline::after(10s)).error(), std::errc::timed_out);
    const auto accepted = adopt_socket(listener.accept().value()).value();
    second.join().value();
  });
}

TEST(SimulatedNetwork, AcceptFailsAsTheWeatherHasIt) {
  SimulatedWorld world({.weather = {.accept_failures = 1000}});
  world.run([] {
    auto listener = Listener::bind(server_address()).value();
    EXPECT_EQ(listener.accept().error(), std::errc::too_many_files_open);
  });
}

TEST(SimulatedNetwork, AnAddressIsOneListeners) {
  SimulatedWorld world;
  world.run([] {
    const auto first = Listener::bind(server_address()).value();
    EXPECT_EQ(Listener::bind(server_address()).error(), std::errc::address_in_use);
    EXPECT_NE(Listener::bind(server_address().with_port(0)).value().address().port(), 0);
  });
}

TEST(SimulatedNetwork, HostsAreFoundByName) {
  SimulatedWorld world;
  world.set_host("cache", {server_address()});
  world.run([] {
    auto listener = Listener::bind(server_address()).value();
    EXPECT_TRUE(TcpStream::connect("cache", 80));
    EXPECT_EQ(connect("nowhere", 80).error(), make_error_code(ResolveErrc::unknown_name));
  });
}

TEST(SimulatedNetwork, AConnectionThatNobodyTookIsResetWithItsListener) {
  SimulatedWorld world;
  world.run([] {
    std::optional<Listener> listener = Listener::bind(server_address()).value();
    const auto client = connect(listener->address()).value();
    client->write("hello").value();
    this_fiber::sleep_for(1s).value();
    listener.reset();
    EXPECT_EQ(client->read_chunk().error(), std::errc::connection_reset);
  });
}

}  // namespace
}  // namespace atlas
