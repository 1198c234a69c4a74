// How often each client may ask.
#pragma once

#include <atlas/asgi/scope.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace atlas::asgi {

struct RateLimit {
  std::size_t requests = 100;  ///< In each `window`, spread over it.
  Duration window = std::chrono::minutes(1);
  std::size_t burst = 20;  ///< At once, when nothing was asked before; at least 1.
  /// Who shares an allowance; by default each client's address, or an IPv6 client's network.
  std::function<std::string(const Scope& scope)> key = {};
  int ipv6_prefix_bits = 64;  ///< Of that network: a subscriber commonly has all of a /64, or a /56.
  /// Of all that are remembered, in all workers. When there are more, those that come new share one
  /// allowance: a flood of keys neither takes memory nor sets anybody free.
  std::size_t keys_max = 100'000;
};

/// One allowance for all workers. Above it: 429 with `retry-after`. Throws std::invalid_argument for limits
/// of zero.
[[nodiscard]] Middleware rate_limit(RateLimit limit);

}  // namespace atlas::asgi
