#include <atlas/core/udp.hpp>

#include <atlas/core/native_socket.hpp>
#include <atlas/core/uv/uv_poll.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace atlas {
namespace {

using detail::last_error;
using detail::NativeAddress;
using detail::set_option;

Result<void> set_udp_options(int fd, const SocketAddress& address, const UdpOptions& options) {
  auto set = detail::set_buffer_bytes(fd, options.receive_buffer_bytes, options.send_buffer_bytes);
  if (set && options.reuse_port) set = set_option(fd, SOL_SOCKET, SO_REUSEPORT);
  if (set && options.broadcast) set = set_option(fd, SOL_SOCKET, SO_BROADCAST);
  if (set && address.family() == SocketAddress::Family::ipv6) set = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  return set;
}

Result<FileDescriptor> open_udp(const SocketAddress& address, const UdpOptions& options) {
  if (address.is_unix()) return Unexpected(std::errc::address_family_not_supported);
  auto fd = detail::open_socket(address, SOCK_DGRAM);
  if (!fd) return fd;
  if (auto set = set_udp_options(fd->get(), address, options); !set) return Unexpected(set.error());
  return fd;
}

/// Receives what is there; an error of EAGAIN when nothing is.
Result<ReceivedDatagram> receive_now(int fd, std::span<char> into) {
  sockaddr_storage storage{};
  auto* sender = reinterpret_cast<sockaddr*>(&storage);
  iovec vector{.iov_base = into.data(), .iov_len = into.size()};
  msghdr message{};
  message.msg_name = sender;
  message.msg_namelen = sizeof storage;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  const ssize_t count = ::recvmsg(fd, &message, MSG_DONTWAIT);
  if (count < 0) return Unexpected(last_error());
  return ReceivedDatagram{.bytes = static_cast<std::size_t>(count),
                          .truncated = (message.msg_flags & MSG_TRUNC) != 0,
                          .sender = SocketAddress(sender, message.msg_namelen)};
}

bool would_wait(std::error_code error) {
  return error == std::errc::resource_unavailable_try_again || error == std::errc::operation_would_block;
}

}  // namespace

class UdpSocket::Poll : public uv::Readiness {
 public:
  using Readiness::Readiness;
};

UdpSocket::UdpSocket(FileDescriptor fd) : fd_(std::move(fd)) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

// The descriptors change places and are closed with `other`: only after what watches them.
UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept = default;

Result<UdpSocket> UdpSocket::bind(const SocketAddress& address, const UdpOptions& options) {
  auto fd = open_udp(address, options);
  if (!fd) return Unexpected(fd.error());
  if (auto bound = detail::bind_socket(fd->get(), address); !bound) return Unexpected(bound.error());
  return UdpSocket(*std::move(fd));
}

Result<UdpSocket> UdpSocket::connected(const SocketAddress& peer, const UdpOptions& options) {
  auto fd = open_udp(peer, options);
  if (!fd) return Unexpected(fd.error());
  UdpSocket socket(*std::move(fd));
  if (auto set = socket.connect(peer); !set) return Unexpected(set.error());
  return socket;
}

Result<void> UdpSocket::connect(const SocketAddress& peer) {
  NativeAddress native(peer);
  if (::connect(fd_.get(), native.get(), native.bytes) != 0) return Unexpected(last_error());
  return {};
}

Result<void> UdpSocket::send_to(std::string_view bytes, const SocketAddress& to, Deadline deadline) {
  return send_message(bytes, &to, deadline);
}

Result<void> UdpSocket::send(std::string_view bytes, Deadline deadline) {
  return send_message(bytes, nullptr, deadline);
}

Result<void> UdpSocket::send_message(std::string_view bytes, const SocketAddress* to, Deadline deadline) {
  NativeAddress native(to != nullptr ? *to : SocketAddress());
  for (;;) {
    const ssize_t sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  to != nullptr ? native.get() : nullptr, to != nullptr ? native.bytes : 0);
    if (sent >= 0) return {};
    const auto error = last_error();
    if (!would_wait(error)) return Unexpected(error);
    if (auto ready = wait_to_send(deadline); !ready) return ready;
  }
}

// A socket that sends faster than the network takes is rare: only it pays for a second descriptor.
Result<void> UdpSocket::wait_to_send(Deadline deadline) {
  if (send_poll_ == nullptr) {
    send_fd_ = FileDescriptor(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
    if (!send_fd_) return Unexpected(last_error());
    send_poll_ = std::make_unique<Poll>(send_fd_.get());
  }
  const auto outcome = send_poll_->wait({"send datagram", this}, UV_WRITABLE, deadline);
  if (!outcome.woken()) return Unexpected(outcome.error());
  return {};
}

Result<ReceivedDatagram> UdpSocket::receive_from(std::span<char> into, Deadline deadline) {
  for (;;) {
    if (received_in_a_row_ < received_in_a_row_max) {
      auto datagram = receive_now(fd_.get(), into);
      if (datagram) ++received_in_a_row_;
      if (datagram || !would_wait(datagram.error())) return datagram;
    }
    received_in_a_row_ = 0;
    if (auto ready = wait_to_receive(deadline); !ready) return Unexpected(ready.error());
  }
}

Result<void> UdpSocket::wait_to_receive(Deadline deadline) {
  if (receive_poll_ == nullptr) receive_poll_ = std::make_unique<Poll>(fd_.get());
  const auto outcome = receive_poll_->wait({"receive datagram", this}, UV_READABLE, deadline);
  if (!outcome.woken()) return Unexpected(outcome.error());
  return {};
}

SocketAddress UdpSocket::local_address() const { return detail::bound_address(fd_.get()); }

}  // namespace atlas
