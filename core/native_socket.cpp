#include <atlas/core/native_socket.hpp>

namespace atlas::detail {

Result<FileDescriptor> open_socket(const SocketAddress& address, int type) {
  const int family = address.is_unix()                                 ? AF_UNIX
                     : address.family() == SocketAddress::Family::ipv4 ? AF_INET
                                                                       : AF_INET6;
  FileDescriptor fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Unexpected(last_error());
  return fd;
}

Result<void> set_option(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) return Unexpected(last_error());
  return {};
}

Result<void> set_buffer_bytes(int fd, int receive_bytes, int send_bytes) {
  if (receive_bytes > 0) {
    if (auto set = set_option(fd, SOL_SOCKET, SO_RCVBUF, receive_bytes); !set) return set;
  }
  if (send_bytes > 0) return set_option(fd, SOL_SOCKET, SO_SNDBUF, send_bytes);
  return {};
}

SocketAddress bound_address(int fd) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  auto* native = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd, native, &bytes) != 0) return {};
  return SocketAddress(native, bytes);
}

Result<void> bind_socket(int fd, const SocketAddress& address) {
  NativeAddress native(address);
  if (::bind(fd, native.get(), native.bytes) != 0) return Unexpected(last_error());
  return {};
}

}  // namespace atlas::detail
