// The PROXY protocol, versions 1 and 2 (haproxy.org, doc/proxy-protocol.txt): what a proxy says of the client
// before the client's own bytes.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <optional>
#include <string_view>

namespace atlas {

struct ProxyHeader {
  struct Connection {
    SocketAddress client;
    SocketAddress server;  ///< What the client has connected to.
  };
  /// None when the proxy speaks for itself (LOCAL), or does not say (UNKNOWN).
  std::optional<Connection> connection;
};

/// A whole line of version 1, with its CRLF. std::errc::protocol_error when it is none.
[[nodiscard]] Result<ProxyHeader> parse_proxy_line(std::string_view line);

/// A whole header of version 2. Its extensions (TLV) are ignored. std::errc::protocol_error when it is none.
[[nodiscard]] Result<ProxyHeader> parse_proxy_block(std::string_view block);

/// Suspends until the header at the front of the stream was read, and nothing behind it.
/// std::errc::protocol_error: there is none, or it is malformed or too long; timed_out; the stream's errors;
/// connection_reset when the stream ends before.
[[nodiscard]] Result<ProxyHeader> read_proxy_header(Stream& stream, Deadline deadline = {});

/// Of version 2 with its extensions. More is refused.
inline constexpr std::size_t proxy_header_bytes_max = 4096;

}  // namespace atlas
