// The demo application: what `atlas serve` serves when it is given no other. A page with the server's live
// facts, and the endpoints that load tests use.
#pragma once

#include <atlas/asgi/application.hpp>

namespace atlas::app {

/// An application, ready to serve http and lifespan scopes.
void demo(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send);

}  // namespace atlas::app
