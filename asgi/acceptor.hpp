// Accepts clients on a listening socket, come what may. Internal to the server.
#pragma once

#include <atlas/core/socket.hpp>

#include <functional>

namespace atlas::asgi {

/// Gives every client of `listener` to `serve`, which must not suspend. Suspends; returns once the fiber is
/// cancelled. When the system is short of descriptors or memory it pauses, and says so in the log.
void accept_clients(Listener& listener, const std::function<void(AcceptedSocket)>& serve);

}  // namespace atlas::asgi
