// What the sockets of all kinds share on their way to the system. Internal.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/connect.hpp>
#include <atlas/core/last_error.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/socket.hpp>

#include <sys/socket.h>

#include <memory>
#include <system_error>

namespace atlas::detail {

/// The system's form of an address.
struct NativeAddress {
  explicit NativeAddress(const SocketAddress& address)
      : bytes(static_cast<socklen_t>(address.to_native(get()))) {}
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t bytes;
};

/// A non-blocking socket of `address`'s family; `type` is SOCK_STREAM or SOCK_DGRAM.
[[nodiscard]] Result<FileDescriptor> open_socket(const SocketAddress& address, int type);

Result<void> set_option(int fd, int level, int option, int value = 1);
/// SO_RCVBUF and SO_SNDBUF; 0 leaves the system's choice.
Result<void> set_buffer_bytes(int fd, int receive_bytes, int send_bytes);

[[nodiscard]] SocketAddress bound_address(int fd);
Result<void> bind_socket(int fd, const SocketAddress& address);

/// Listener::bind and atlas::connect in the system's world.
[[nodiscard]] Result<std::unique_ptr<ListeningSocket>> listen_on_system_socket(const SocketAddress& address,
                                                                               const ListenOptions& options);
[[nodiscard]] Result<StreamPtr> connect_system_socket(const SocketAddress& address, Deadline deadline,
                                                      const ConnectOptions& options);

}  // namespace atlas::detail
