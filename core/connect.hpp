// Connections to servers: by address, by path, and by name.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace atlas {

/// Probes of a connection on which nothing was heard for a while (RFC 9293 §3.8.4). The system refuses values
/// out of its range (invalid_argument).
struct KeepAlive {
  std::chrono::seconds idle{60};      ///< Silence before the first probe.
  std::chrono::seconds interval{10};  ///< Between two probes.
  int probes_max = 6;                 ///< Unanswered, before the connection is given up.
};

struct ConnectOptions {
  std::optional<SocketAddress> local_address;  ///< To connect from; port 0: the system's choice.
  bool no_delay = true;                        ///< TCP_NODELAY: small writes leave at once.
  std::optional<KeepAlive> keep_alive;
  int receive_buffer_bytes = 0;  ///< The system's buffers (it may round); 0: its own choice.
  int send_buffer_bytes = 0;
  /// Of a name with several addresses: how long an attempt has for itself before the next one begins (RFC
  /// 8305 §8).
  Duration attempt_delay = std::chrono::milliseconds(250);
};

/// Suspends until connected. A unix socket whose server has too many clients waiting is tried again, every
/// 100 ms at the latest, until the deadline.
[[nodiscard]] Result<StreamPtr> connect(const SocketAddress& address, Deadline deadline = {},
                                        const ConnectOptions& options = {});

/// Suspends until connected to `host`, a literal address or a name. A name's IPv6 and IPv4 addresses are
/// tried in turns, the first to connect wins and the others are closed (RFC 8305). Both kinds of address come
/// from the system in one answer, so there is no resolution delay (§3). A local address allows only its own
/// family: address_family_not_supported when the name has none of it. Other errors: Resolver::resolve's,
/// connect_first's.
[[nodiscard]] Result<StreamPtr> connect(std::string_view host, std::uint16_t port, Deadline deadline = {},
                                        const ConnectOptions& options = {});

}  // namespace atlas
