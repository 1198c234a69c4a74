// Uploads over real sockets: who does not read holds the client back.
#include <atlas/asgi/server.hpp>
#include <atlas/core/address.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/wait.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <string_view>
#include <system_error>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t body_bytes = std::size_t{256} * 1024 * 1024;

std::system_error last_error(const char* call) { return {errno, std::system_category(), call}; }

/// A client that never waits longer than it is told.
class Uploader {
 public:
  explicit Uploader(const SocketAddress& server) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage{};
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    const auto bytes = static_cast<socklen_t>(server.to_native(address));
    if (::connect(fd_.get(), address, bytes) != 0) throw last_error("connect");
    if (::fcntl(fd_.get(), F_SETFL, O_NONBLOCK) != 0) throw last_error("fcntl");
  }

  /// Sends up to `bytes`, until the system takes no more for `patience`; how many it took.
  std::size_t send(std::string_view piece, std::size_t bytes, std::chrono::milliseconds patience) {
    std::size_t sent = 0;
    while (sent < bytes && writable(patience)) {
      const auto count = ::send(fd_.get(), piece.data(), std::min(piece.size(), bytes - sent), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN) throw last_error("send");
      sent += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    return sent;
  }

  std::string receive() {
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 20'000) != 1) return "nothing came";
    std::string bytes(4096, '\0');
    const auto count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return bytes;
  }

 private:
  [[nodiscard]] bool writable(std::chrono::milliseconds patience) const {
    pollfd ready{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    return ::poll(&ready, 1, static_cast<int>(patience.count())) == 1;
  }

  FileDescriptor fd_;
};

// What the system buffers for both ends is all that is taken: the application's silence reaches the client.
TEST(Upload, AClientIsHeldByTcpWhileTheApplicationDoesNotRead) {
  std::promise<RemoteWaker> waiting;
  std::uint64_t received = 0;
  const auto app = [&](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    Wait wait({"the test"});
    waiting.set_value(wait.remote_waker());
    static_cast<void>(wait.park());
    for (bool more = true; more;) {
      const auto message = receive();
      const auto& piece = std::get<HttpRequest>(message);
      received += piece.body.size();
      more = piece.more_body;
    }
    send(HttpResponseStart{.status = 204});
    send(HttpResponseBody{});
  };
  ServerOptions options;
  options.port = 0;
  options.workers = 1;
  options.limits.body_bytes_max = UINT64_MAX;
  Server server(app, options, log::SinkOptions{.target = "/dev/null"});
  server.start();

  Uploader client(server.addresses().front());
  const std::string head =
      "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(body_bytes) + "\r\n\r\n";
  const std::string piece(std::size_t{256} * 1024, 'x');
  ASSERT_EQ(client.send(head, head.size(), 20s), head.size());
  const auto waker = waiting.get_future().get();
  const auto held = client.send(piece, body_bytes, 300ms);
  EXPECT_LT(held, body_bytes / 2);  // 36 MiB at most, by the system's usual limits
  EXPECT_EQ(received, 0U);
  waker.wake();
  EXPECT_EQ(held + client.send(piece, body_bytes - held, 20s), body_bytes);
  EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 204 "));
  EXPECT_EQ(received, body_bytes);
  server.stop();
}

}  // namespace
}  // namespace atlas::asgi
