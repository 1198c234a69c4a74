// The demo application: what `atlas serve` serves when it is given no other. A page with the server's live
// facts, and the endpoints that load tests use.
#pragma once

#include <atlas/asgi/toolkit/router.hpp>

namespace atlas::app {

[[nodiscard]] asgi::Router demo();

}  // namespace atlas::app
