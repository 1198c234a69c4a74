// The promises that a server is checked for. Internal; see server_check.hpp.
#pragma once

#include <atlas/asgi/conformance/server_client.hpp>

#include <span>
#include <string_view>

namespace atlas::asgi {

struct ServerCheck {
  std::string_view promise;
  /// Suspends. Throws Fault, or whatever went wrong on the way.
  void (*run)(ServerClient& client);
};

/// What any application shows.
[[nodiscard]] std::span<const ServerCheck> outer_checks();
/// The others need the probe.
[[nodiscard]] std::span<const ServerCheck> scope_checks();
[[nodiscard]] std::span<const ServerCheck> lifespan_checks();
[[nodiscard]] std::span<const ServerCheck> receive_checks();
[[nodiscard]] std::span<const ServerCheck> framing_checks();
[[nodiscard]] std::span<const ServerCheck> refusal_checks();
[[nodiscard]] std::span<const ServerCheck> failure_checks();
[[nodiscard]] std::span<const ServerCheck> extension_checks();

}  // namespace atlas::asgi
