// Real sockets of the loopback interface; where the system's buffer must be full, a unix socket pair, because
// loopback takes every datagram.
#include <atlas/core/udp.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include "support/workers.hpp"

#include <sys/socket.h>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;

SocketAddress loopback(const char* host = "127.0.0.1") { return SocketAddress::ip(host, 0).value(); }

struct Received {
  std::string text;
  ReceivedDatagram datagram;
};

Received receive(UdpSocket& socket, std::size_t bytes_max = 2048) {
  std::string text(bytes_max, '\0');
  const auto datagram = socket.receive_from(text, Deadline::after(20s)).value();
  text.resize(datagram.bytes);
  return {text, datagram};
}

std::pair<UdpSocket, UdpSocket> datagram_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  return {UdpSocket(FileDescriptor(ends[0])), UdpSocket(FileDescriptor(ends[1]))};
}

/// Sends until the other end's queue is full; how many datagrams that took.
int fill(UdpSocket& socket) {
  int count = 0;
  while (socket.send("x", Deadline::after(1ms))) ++count;
  return count;
}

void expect_question_and_answer(const SocketAddress& local) {
  auto server = UdpSocket::bind(local).value();
  auto client = UdpSocket::bind(local).value();
  client.send_to("question", server.local_address()).value();
  const auto question = receive(server);
  EXPECT_EQ(question.text, "question");
  EXPECT_EQ(question.datagram.sender, client.local_address());
  EXPECT_FALSE(question.datagram.truncated);
  server.send_to("answer", question.datagram.sender).value();
  EXPECT_EQ(receive(client).text, "answer");
}

TEST(Udp, SpeaksIPv4) {
  run_event_loop([] { expect_question_and_answer(loopback()); });
}

TEST(Udp, SpeaksIPv6) {
  if (!UdpSocket::bind(loopback("::1"))) GTEST_SKIP() << "no IPv6 loopback here";
  run_event_loop([] { expect_question_and_answer(loopback("::1")); });
}

TEST(Udp, ReceiveSuspendsUntilADatagramArrives) {
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    auto client = UdpSocket::bind(loopback()).value();
    auto sending = spawn("client", [&] { client.send_to("later", server.local_address()).value(); });
    EXPECT_EQ(receive(server).text, "later");
    sending.join().value();
  });
}

TEST(Udp, AConnectedSocketHearsItsPeerOnly) {
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    auto stranger = UdpSocket::bind(loopback()).value();
    auto client = UdpSocket::connected(server.local_address()).value();
    client.send("hello").value();
    const auto hello = receive(server);
    stranger.send_to("not for you", hello.datagram.sender).value();
    server.send_to("welcome", hello.datagram.sender).value();
    EXPECT_EQ(receive(client).text, "welcome");
  });
}

TEST(Udp, SendingWithoutAPeerIsAnError) {
  run_event_loop([] {
    auto socket = UdpSocket::bind(loopback()).value();
    EXPECT_EQ(socket.send("x").error(), std::errc::destination_address_required);
  });
}

TEST(Udp, AConnectedSocketLearnsThatNobodyListensAndGoesOn) {
  run_event_loop([] {
    const auto nobody = UdpSocket::bind(loopback()).value().local_address();
    auto client = UdpSocket::connected(nobody).value();
    client.send("anybody?").value();
    std::array<char, 16> room;
    EXPECT_EQ(client.receive_from(room, Deadline::after(20s)).error(), std::errc::connection_refused);
    auto server = UdpSocket::bind(loopback()).value();
    client.connect(server.local_address()).value();
    client.send("you?").value();
    EXPECT_EQ(receive(server).text, "you?");
  });
}

TEST(Udp, ADatagramThatJustFitsIsWholeAndOneLongerIsTruncated) {
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    auto client = UdpSocket::connected(server.local_address()).value();
    client.send("12345").value();
    client.send("123456").value();
    client.send("next").value();
    const auto whole = receive(server, 5);
    EXPECT_EQ(whole.text, "12345");
    EXPECT_FALSE(whole.datagram.truncated);
    const auto cut = receive(server, 5);
    EXPECT_EQ(cut.text, "12345");
    EXPECT_TRUE(cut.datagram.truncated);
    EXPECT_EQ(receive(server, 5).text, "next");
  });
}

TEST(Udp, AnEmptyDatagramIsOne) {
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    auto client = UdpSocket::connected(server.local_address()).value();
    client.send("").value();
    EXPECT_EQ(receive(server).text, "");
  });
}

TEST(Udp, TheLargestDatagramArrivesAndALargerOneIsAnError) {
  constexpr std::size_t payload_bytes_max = 65'535 - 20 - 8;  // IPv4's and UDP's headers
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    auto client = UdpSocket::connected(server.local_address()).value();
    const std::string largest(payload_bytes_max, 'x');
    client.send(largest).value();
    EXPECT_TRUE(receive(server, 65'536).text == largest);
    EXPECT_EQ(client.send(largest + "x").error(), std::errc::message_size);
  });
}

TEST(Udp, ReceiveGivesUpAtItsDeadlineAndTheSocketGoesOn) {
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    auto client = UdpSocket::connected(server.local_address()).value();
    std::array<char, 16> room;
    EXPECT_EQ(server.receive_from(room, Deadline::after(1ms)).error(), std::errc::timed_out);
    {
      const DeadlineScope deadline(1ms);
      EXPECT_EQ(server.receive_from(room).error(), std::errc::timed_out);
    }
    client.send("x").value();
    EXPECT_EQ(receive(server).text, "x");
  });
}

TEST(Udp, ReceiveIsCancelled) {
  run_event_loop([] {
    auto socket = UdpSocket::bind(loopback()).value();
    std::error_code seen;
    auto receiving = spawn("receiver", [&] {
      std::array<char, 16> room;
      seen = socket.receive_from(room).error();
    });
    this_fiber::yield();
    receiving.cancel();
    receiving.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(Udp, ADatagramInTheTurnOfACancellationIsNotLost) {
  run_event_loop([] {
    auto [left, right] = datagram_pair();
    for (const bool cancel_first : {true, false}) {
      Caller caller([&socket = left] {
        std::array<char, 16> room;
        return socket.receive_from(room);
      });
      if (cancel_first) caller.cancel();
      right.send("x").value();  // it is there; the loop has yet to hear of it
      if (!cancel_first) caller.cancel();
      EXPECT_EQ(caller.error(), std::errc::operation_canceled);
      EXPECT_EQ(receive(left).text, "x");
    }
  });
}

TEST(Udp, MayBeDestroyedRightAfterACancelledWait) {
  run_event_loop([] {
    for (int i = 0; i < 20; ++i) {
      auto socket = std::make_unique<UdpSocket>(UdpSocket::bind(loopback()).value());
      Caller caller([&] {
        std::array<char, 16> room;
        auto received = socket->receive_from(room);
        socket.reset();
        return received;
      });
      caller.cancel();
      EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    }
  });
}

TEST(Udp, AFloodDoesNotKeepAReceiverFromItsDeadline) {
  run_event_loop([] {
    auto socket = UdpSocket::bind(loopback()).value();
    socket.connect(socket.local_address()).value();
    const auto deadline = Deadline::after(20ms);
    std::error_code error;
    while (!error) {
      socket.send("to myself").value();
      std::array<char, 16> room;
      error = socket.receive_from(room, deadline).error();
    }
    EXPECT_EQ(error, std::errc::timed_out);
  });
}

TEST(Udp, SendSuspendsWhileTheBufferIsFull) {
  run_event_loop([] {
    auto [left, right] = datagram_pair();
    const int count = fill(left);
    ASSERT_GT(count, 0);
    bool sent = false;
    auto sending = spawn("sender", [&sent, &socket = left] { sent = socket.send("last").has_value(); });
    this_fiber::yield();
    EXPECT_FALSE(sent);
    for (int i = 0; i < count; ++i) EXPECT_EQ(receive(right).text, "x");
    EXPECT_EQ(receive(right).text, "last");
    sending.join().value();
    EXPECT_TRUE(sent);
  });
}

TEST(Udp, SendGivesUpAtItsDeadlineAndWhenCancelled) {
  run_event_loop([] {
    auto [left, right] = datagram_pair();
    fill(left);
    EXPECT_EQ(left.send("x", Deadline::after(1ms)).error(), std::errc::timed_out);
    std::error_code seen;
    auto sending = spawn("sender", [&seen, &socket = left] { seen = socket.send("x").error(); });
    this_fiber::yield();
    sending.cancel();
    sending.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(Udp, OneFiberMaySendWhileAnotherReceives) {
  run_event_loop([] {
    auto [left, right] = datagram_pair();
    const int count = fill(left);
    auto receiving = spawn("receiver", [&socket = left] { EXPECT_EQ(receive(socket).text, "back"); });
    auto sending = spawn("sender", [&socket = left] { socket.send("x", Deadline::after(20s)).value(); });
    this_fiber::yield();
    right.send("back").value();
    receiving.join().value();
    for (int i = 0; i <= count; ++i) EXPECT_EQ(receive(right).text, "x");
    sending.join().value();
  });
}

TEST(Udp, MovesAlsoAfterItWaited) {
  run_event_loop([] {
    auto server = UdpSocket::bind(loopback()).value();
    std::array<char, 16> room;
    EXPECT_EQ(server.receive_from(room, Deadline::after(1ms)).error(), std::errc::timed_out);
    UdpSocket moved = std::move(server);
    auto client = UdpSocket::connected(moved.local_address()).value();
    server = UdpSocket::bind(loopback()).value();
    EXPECT_EQ(server.receive_from(room, Deadline::after(1ms)).error(), std::errc::timed_out);
    server = std::move(moved);
    client.send("x").value();
    EXPECT_EQ(receive(server).text, "x");
  });
}

TEST(Udp, OptionsReachTheSocket) {
  const auto first = UdpSocket::bind(loopback(), {.reuse_port = true}).value();
  EXPECT_TRUE(UdpSocket::bind(first.local_address(), {.reuse_port = true}));
  EXPECT_EQ(UdpSocket::bind(first.local_address()).error(), std::errc::address_in_use);
  EXPECT_TRUE(UdpSocket::bind(loopback(), {.broadcast = true, .receive_buffer_bytes = 20'000}));
}

TEST(Udp, APathIsNoAddressOfIt) {
  const auto path = SocketAddress::unix_socket("/nowhere").value();
  EXPECT_EQ(UdpSocket::bind(path).error(), std::errc::address_family_not_supported);
  EXPECT_EQ(UdpSocket::connected(path).error(), std::errc::address_family_not_supported);
}

TEST(Udp, WorksFromSeveralWorkers) {
  constexpr int clients = 3;
  constexpr int questions_each = 10;
  auto bound = UdpSocket::bind(loopback()).value();
  const auto address = bound.local_address();
  testing::on_workers(clients + 1, [&](int worker) {
    UdpSocket socket = worker == 0 ? std::move(bound) : UdpSocket::connected(address).value();
    for (int i = 0; worker == 0 && i < clients * questions_each; ++i) {
      const auto question = receive(socket);
      socket.send_to("pong", question.datagram.sender).value();
    }
    for (int i = 0; worker > 0 && i < questions_each; ++i) {
      socket.send("ping").value();
      EXPECT_EQ(receive(socket).text, "pong");
    }
  });
}

}  // namespace
}  // namespace atlas
