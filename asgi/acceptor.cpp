#include <atlas/asgi/acceptor.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>

#include <utility>

namespace atlas::asgi {

// Out of descriptors, accepting would fail at once for ever: the clients wait in the backlog meanwhile.
void accept_clients(Listener& listener, const std::function<void(AcceptedSocket)>& serve) {
  constexpr auto pause = std::chrono::milliseconds(200);
  for (;;) {
    auto socket = listener.accept();
    if (socket) {
      serve(*std::move(socket));
    } else if (this_fiber::cancelled()) {
      return;
    } else {
      log::warn("cannot accept connections on {}: {}; trying again in {} ms", listener.address().to_string(),
                socket.error().message(), pause.count());
      if (!this_fiber::sleep_for(pause)) return;
    }
  }
}

}  // namespace atlas::asgi
