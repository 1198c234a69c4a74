// Limits of a worker in memory, where there are no descriptors to count: 0 means none. Internal.
#pragma once

#include <atlas/asgi/admission.hpp>
#include <atlas/asgi/options.hpp>

#include <cstddef>
#include <cstdint>

namespace atlas::asgi {

[[nodiscard]] inline std::size_t or_unlimited(std::size_t limit) noexcept {
  return limit == 0 ? SIZE_MAX : limit;
}

[[nodiscard]] inline Admission::Limits admission_limits(const ServerOptions& options) noexcept {
  const auto& limits = options.connection_limits;
  return {.connections_max = or_unlimited(limits.connections_max),
          .connections_per_address_max = or_unlimited(limits.connections_per_address_max)};
}

}  // namespace atlas::asgi
