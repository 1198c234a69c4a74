#include <atlas/core/tcp_stream.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/socket.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::make_memory_pipe;
using testing::make_memory_stream;
using testing::TestLoop;

/// Answers one client's pings until it leaves.
void serve_pings(Listener& listener) {
  auto accepted = listener.accept().value();
  TcpStream client(adopt_socket(std::move(accepted)).value());
  while (const auto line = client.read_line().value()) {
    client.write(*line == "PING" ? "+PONG\r\n" : "-ERR\r\n").value();
  }
}

TEST(TcpStream, AsksAndIsAnswered) {
  run_event_loop([] {
    auto listener = Listener::bind(SocketAddress::ip("127.0.0.1", 0).value()).value();
    auto server = spawn("server", [&] { serve_pings(listener); });
    {
      auto cache = TcpStream::connect(listener.address());
      ASSERT_TRUE(cache);
      cache->write("PING\r\n").value();
      EXPECT_EQ(*cache->read_line().value(), "+PONG");
      cache->write("PONG\r\n").value();
      EXPECT_EQ(*cache->read_exactly(4).value(), "-ERR");
    }
    server.join().value();
  });
}

TEST(TcpStream, ConnectsByHostAndPort) {
  run_event_loop([] {
    auto listener = Listener::bind(SocketAddress::ip("127.0.0.1", 0).value()).value();
    auto cache = TcpStream::connect("127.0.0.1", listener.address().port()).value();
    EXPECT_EQ(cache.stream().peer_address(), listener.address());
  });
}

TEST(TcpStream, AnErrorOfConnectingIsPassedOn) {
  run_event_loop([] {
    const auto address = Listener::bind(SocketAddress::ip("127.0.0.1", 0).value()).value().address();
    EXPECT_EQ(TcpStream::connect(address).error(), std::errc::connection_refused);
  });
}

TEST(TcpStream, ItsCallsObeyTheirDeadlines) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  loop.run([&stream = stream] {
    TcpStream client(std::move(stream));
    EXPECT_EQ(client.read_line(10, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(client.read_exactly(1, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(client.write("12345", Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_TRUE(client.stream().aborted());
  });
}

TEST(TcpStream, MovesWithWhatItHasRead) {
  TestLoop loop;
  auto [left, right] = make_memory_pipe(loop.scheduler());
  loop.run([&left = left, &right = right] {
    TcpStream client(std::move(left));
    right->write("one\ntwo\nthree").value();
    EXPECT_EQ(*client.read_line().value(), "one");
    TcpStream moved = std::move(client);
    EXPECT_EQ(*moved.read_line().value(), "two");
    client = std::move(moved);
    EXPECT_EQ(client.reader().buffered(), "three");
  });
}

TEST(TcpStream, MayBeReplacedByAnother) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  auto [other, other_peer] = make_memory_stream(loop.scheduler());
  loop.run([&, &stream = stream, &other = other, &peer = peer, &other_peer = other_peer] {
    peer.send("unread");
    TcpStream client(std::move(stream));
    EXPECT_EQ(client.reader().peek(6).value(), "unread");
    client = TcpStream(std::move(other));
    EXPECT_TRUE(peer.closed());
    other_peer.send("x\n");
    EXPECT_EQ(*client.read_line().value(), "x");
  });
}

}  // namespace
}  // namespace atlas
