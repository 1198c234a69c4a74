// The examples of docs/networking.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/buffered_reader.hpp>
#include <atlas/core/buffered_writer.hpp>
#include <atlas/core/connect.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/resolver.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/tcp_stream.hpp>
#include <atlas/core/udp.hpp>
#include "support/manual_driver.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::make_memory_stream;
using testing::TemporaryFolder;
using testing::TestLoop;

std::string ping_cache(std::string_view host, std::uint16_t port) {
  const DeadlineScope deadline(2s);  // holds for every wait below
  auto cache = TcpStream::connect(host, port);
  if (!cache) return "cache is down: " + cache.error().message();
  cache->write("PING\r\n").value();
  return std::string(*cache->read_line().value());
}

Result<StreamPtr> connect_to_daemon(const std::string& path) {
  const auto address = SocketAddress::unix_socket(path);
  if (!address) return Unexpected(address.error());
  return connect(*address, Deadline::after(500ms));
}

std::vector<std::string> addresses_of(std::string_view host) {
  const auto addresses = resolve(host, "https").value();
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return texts;
}

std::size_t count_words(Stream& stream) {
  BufferedReader reader(stream);
  std::size_t words = 0;
  while (const auto line = reader.read_line(1024).value()) {  // a view, valid until the next call
    if (!line->empty()) ++words;
  }
  return words;
}

void answer_frames(Stream& stream) {
  const FrameFormat format{.length_bytes = 2, .frame_bytes_max = 4096};
  BufferedReader reader(stream);
  BufferedWriter writer(stream);
  while (const auto frame = reader.read_frame(format).value()) {
    writer.write_frame(*frame, format).value();
    writer.flush().value();
  }
}

void echo_datagrams(UdpSocket& socket) {
  std::array<char, 1500> room;
  while (const auto datagram = socket.receive_from(room)) {
    if (datagram->truncated) continue;
    socket.send_to({room.data(), datagram->bytes}, datagram->sender).value();
  }
}

SocketAddress loopback() { return SocketAddress::ip("127.0.0.1", 0).value(); }

TEST(NetworkingPage, PingsACache) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto server = spawn("cache", [&] {
      auto accepted = listener.accept().value();
      TcpStream client(adopt_socket(std::move(accepted)).value());
      if (*client.read_line().value() == "PING") client.write("+PONG\r\n").value();
    });
    EXPECT_EQ(ping_cache("127.0.0.1", listener.address().port()), "+PONG");
    server.join().value();
  });
}

TEST(NetworkingPage, SaysThatTheCacheIsDown) {
  run_event_loop([] {
    const auto port = Listener::bind(loopback()).value().address().port();
    EXPECT_EQ(ping_cache("127.0.0.1", port), "cache is down: Connection refused");
  });
}

TEST(NetworkingPage, ConnectsToADaemon) {
  run_event_loop([] {
    const TemporaryFolder folder;
    const auto path = folder.file("daemon");
    EXPECT_EQ(connect_to_daemon(path).error(), std::errc::no_such_file_or_directory);
    const auto listener = Listener::bind(SocketAddress::unix_socket(path).value()).value();
    EXPECT_TRUE(connect_to_daemon(path));
  });
}

TEST(NetworkingPage, KnowsAddresses) {
  run_event_loop([] {
    const auto texts = addresses_of("localhost");
    ASSERT_FALSE(texts.empty());
    EXPECT_TRUE(texts[0] == "127.0.0.1:443" || texts[0] == "[::1]:443") << texts[0];
  });
}

TEST(NetworkingPage, CountsWords) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("one\ntwo\n\nthree\n");
  peer.shutdown_write();
  loop.run([&stream = stream] { EXPECT_EQ(count_words(*stream), 3U); });
}

TEST(NetworkingPage, AnswersFrames) {
  using namespace std::string_literals;
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("\0\3abc\0\0"s);
  peer.shutdown_write();
  loop.run([&stream = stream] { answer_frames(*stream); });
  EXPECT_EQ(peer.received(), "\0\3abc\0\0"s);
}

TEST(NetworkingPage, EchoesDatagrams) {
  run_event_loop([] {
    auto socket = UdpSocket::bind(loopback()).value();
    auto echo = spawn("echo", [&] { echo_datagrams(socket); });
    auto client = UdpSocket::connected(socket.local_address()).value();
    std::array<char, 2000> room;
    client.send(std::string(1501, 'x')).value();
    client.send("hello").value();
    EXPECT_EQ(client.receive_from(room, Deadline::after(20s)).value().bytes, 5U);
    echo.cancel();
    echo.join().value();
  });
}

}  // namespace
}  // namespace atlas
