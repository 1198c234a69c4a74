#include <atlas/core/connect.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/happy_eyeballs.hpp>
#include <atlas/core/native_socket.hpp>
#include <atlas/core/resolver.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/uv/uv_poll.hpp>
#include <atlas/core/world.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using detail::last_error;
using detail::set_option;

Result<void> set_keep_alive(int fd, const KeepAlive& keep_alive) {
  const std::pair<int, int> options[] = {{TCP_KEEPIDLE, static_cast<int>(keep_alive.idle.count())},
                                         {TCP_KEEPINTVL, static_cast<int>(keep_alive.interval.count())},
                                         {TCP_KEEPCNT, keep_alive.probes_max}};
  for (const auto& [option, value] : options) {
    if (auto set = set_option(fd, IPPROTO_TCP, option, value); !set) return set;
  }
  return set_option(fd, SOL_SOCKET, SO_KEEPALIVE);
}

Result<void> set_tcp_options(int fd, const ConnectOptions& options) {
  if (options.no_delay) {
    if (auto set = set_option(fd, IPPROTO_TCP, TCP_NODELAY); !set) return set;
  }
  return options.keep_alive ? set_keep_alive(fd, *options.keep_alive) : Result<void>();
}

Result<void> bind_locally(int fd, const SocketAddress& address) {
  // The system then need not keep the port from being used towards other servers.
  if (!address.is_unix() && address.port() == 0) {
    static_cast<void>(set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT));
  }
  return detail::bind_socket(fd, address);
}

Result<void> prepare(int fd, const SocketAddress& address, const ConnectOptions& options) {
  auto set = detail::set_buffer_bytes(fd, options.receive_buffer_bytes, options.send_buffer_bytes);
  if (set && !address.is_unix()) set = set_tcp_options(fd, options);
  if (set && options.local_address) set = bind_locally(fd, *options.local_address);
  return set;
}

Result<void> wait_connected(int fd) {
  uv::Readiness poll(fd);
  const auto outcome = poll.wait({"connect"}, UV_WRITABLE);
  if (!outcome.woken()) return Unexpected(outcome.error());
  int error = 0;
  socklen_t bytes = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (error != 0) return Unexpected(std::error_code(error, std::system_category()));
  return {};
}

// A unix socket does not wait for its turn in a full backlog: it says EAGAIN, and only asking again helps.
// That error of a TCP socket is another: no local port is free.
Result<void> connect_socket(int fd, const SocketAddress& address) {
  constexpr Duration pause_max = 100ms;
  detail::NativeAddress native(address);
  for (Duration pause = 1ms;; pause = std::min(2 * pause, pause_max)) {
    if (::connect(fd, native.get(), native.bytes) == 0) return {};
    if (errno == EINPROGRESS) return wait_connected(fd);
    if (errno != EAGAIN || !address.is_unix()) return Unexpected(last_error());
    if (auto slept = this_fiber::sleep_for(pause); !slept) return slept;
  }
}

class SocketConnector final : public Connector {
 public:
  explicit SocketConnector(const ConnectOptions& options) : options_(options) {}
  Result<StreamPtr> connect(const SocketAddress& address) override {
    return atlas::connect(address, {}, options_);
  }

 private:
  const ConnectOptions& options_;
};

}  // namespace

Result<StreamPtr> connect(const SocketAddress& address, Deadline deadline, const ConnectOptions& options) {
  return this_world().connect(address, deadline, options);
}

Result<StreamPtr> detail::connect_system_socket(const SocketAddress& address, Deadline deadline,
                                                const ConnectOptions& options) {
  const DeadlineScope scope(deadline);
  auto fd = open_socket(address, SOCK_STREAM);
  if (!fd) return Unexpected(fd.error());
  if (auto prepared = prepare(fd->get(), address, options); !prepared) return Unexpected(prepared.error());
  if (auto connected = connect_socket(fd->get(), address); !connected) return Unexpected(connected.error());
  return adopt_socket({.fd = *std::move(fd), .peer = address});
}

Result<StreamPtr> connect(std::string_view host, std::uint16_t port, Deadline deadline,
                          const ConnectOptions& options) {
  const DeadlineScope scope(deadline);
  auto addresses = resolve(host, port);
  if (!addresses) return Unexpected(addresses.error());
  if (const auto& local = options.local_address) {
    std::erase_if(*addresses, [&](const auto& each) { return each.family() != local->family(); });
    if (addresses->empty()) return Unexpected(std::errc::address_family_not_supported);
  }
  SocketConnector connector(options);
  return connect_first(interleave_families(*addresses), connector, options.attempt_delay);
}

}  // namespace atlas
