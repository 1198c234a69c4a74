// The present as protocols and files have it.
#pragma once

#include <chrono>
#include <cstdint>

namespace atlas::asgi {

/// Seconds since 1970, by the system's clock.
[[nodiscard]] inline std::int64_t unix_seconds_now() noexcept {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace atlas::asgi
