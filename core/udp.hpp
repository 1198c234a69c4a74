// Datagrams: UDP, without multicast.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace atlas {

struct UdpOptions {
  bool reuse_port = false;       ///< SO_REUSEPORT: several sockets share the datagrams of one address.
  bool broadcast = false;        ///< SO_BROADCAST: may send to broadcast addresses.
  int receive_buffer_bytes = 0;  ///< The system's buffers (it may round); 0: its own choice.
  int send_buffer_bytes = 0;
};

/// A datagram that was copied to its receiver's memory.
struct ReceivedDatagram {
  std::size_t bytes = 0;   ///< How many were copied.
  bool truncated = false;  ///< There were more, which are lost.
  SocketAddress sender;
};

/// Not tied to a thread until its first wait, then of that thread. One fiber receives and one sends at a time
/// (they may be two). Whoever waits must have ended before it is destroyed.
class UdpSocket {
 public:
  /// Bound to `address`; port 0: the system's choice. IPv6 addresses are IPv6 only.
  [[nodiscard]] static Result<UdpSocket> bind(const SocketAddress& address, const UdpOptions& options = {});
  /// Bound as the system likes, and connected to `peer`.
  [[nodiscard]] static Result<UdpSocket> connected(const SocketAddress& peer, const UdpOptions& options = {});
  /// Takes over a non-blocking socket for datagrams that was made elsewhere (UDP, or a unix socket pair).
  explicit UdpSocket(FileDescriptor fd);
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) noexcept;
  ~UdpSocket();

  /// From now on `send` goes to `peer` and only its datagrams are received. What it refuses (port
  /// unreachable) is answered as connection_refused by a later call, which leaves the socket as it is.
  /// Nothing is sent.
  Result<void> connect(const SocketAddress& peer);

  /// Suspends while the system's buffer is full. message_size when `bytes` are more than a datagram can
  /// carry. Sent is not arrived: datagrams may be lost, doubled and overtake one another.
  Result<void> send_to(std::string_view bytes, const SocketAddress& to, Deadline deadline = {});
  /// Suspends, as `send_to`, to the connected peer; without one destination_address_required.
  Result<void> send(std::string_view bytes, Deadline deadline = {});
  /// Suspends until a datagram has arrived, and now and then while there are, for the loop to have its turn.
  /// An empty datagram is one, too. What is longer than `into` is cut off.
  Result<ReceivedDatagram> receive_from(std::span<char> into, Deadline deadline = {});

  /// The address in use: port 0 has become a port.
  [[nodiscard]] SocketAddress local_address() const;

 private:
  class Poll;
  static constexpr int received_in_a_row_max = 64;

  Result<void> send_message(std::string_view bytes, const SocketAddress* to, Deadline deadline);
  Result<void> wait_to_send(Deadline deadline);
  Result<void> wait_to_receive(Deadline deadline);

  FileDescriptor fd_;
  FileDescriptor send_fd_;  // the same socket: a loop watches a descriptor for one thing only
  std::unique_ptr<Poll> receive_poll_;
  std::unique_ptr<Poll> send_poll_;
  int received_in_a_row_ = 0;
};

}  // namespace atlas
