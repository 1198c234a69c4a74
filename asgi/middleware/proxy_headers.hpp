// What trusted proxies say of the client: Forwarded (RFC 7239), or X-Forwarded-For, -Proto and -Host.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <string>

namespace atlas::asgi {

struct ProxyHeaders {
  /// Networks as IpNetworks::parse has them, "10.0.0.0/8, ::1": of these only is believed what they say.
  std::string trusted;
  /// "Forwarded" alone, or the three X-Forwarded fields; never both, since a proxy that writes one passes the
  /// other on from whoever has sent it.
  enum class Source : std::uint8_t { forwarded, x_forwarded } source = Source::x_forwarded;
};

/// scope.client becomes the last address, from right to left, that is not a trusted proxy's; scope.scheme and
/// the `host` header what that proxy has seen. What is malformed is not believed, nor is anything before it.
/// Throws std::invalid_argument when `trusted` is no list of networks.
[[nodiscard]] Middleware proxy_headers(const ProxyHeaders& options);

}  // namespace atlas::asgi
