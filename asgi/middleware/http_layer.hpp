// The frame of middleware that is about requests. Internal.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <utility>

namespace atlas::asgi {

/// `serve(inner, scope, receive, send)` for each request, of all workers at the same time; scopes of other
/// types go to `inner` as they are.
template <class Serve>
[[nodiscard]] Middleware http_layer(Serve serve) {
  return [serve = std::move(serve)](Application inner) -> Application {
    return [serve, inner = std::move(inner)](const Scope& scope, Receive& receive, Send& send) {
      if (scope.type != ScopeType::http) return inner(scope, receive, send);
      serve(inner, scope, receive, send);
    };
  };
}

}  // namespace atlas::asgi
