// How many requests an application works on at once; those above wait, for a while.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <cstddef>

namespace atlas::asgi {

struct ConcurrencyLimit {
  std::size_t running_max = 100;  ///< In all workers together.
  std::size_t waiting_max = 1000;
  /// Who has waited for so long is sent away: by then the server has more to do than it can, and an answer
  /// that late is of no use.
  Duration waiting_time_max = std::chrono::milliseconds(500);
};

/// First come, first served. 503 with `retry-after` for those that do not come in. Throws
/// std::invalid_argument when nobody would.
[[nodiscard]] Middleware concurrency_limit(const ConcurrencyLimit& limit);

}  // namespace atlas::asgi
