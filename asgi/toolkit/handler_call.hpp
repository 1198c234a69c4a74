// From the seam to a handler and back.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/toolkit/handler.hpp>

namespace atlas::asgi {

/// Suspends: calls a handler, sends its response, and begins what comes afterwards. HttpError becomes a
/// response; what else it throws comes out, as does what Send throws.
void answer_with(const Handler& handler, const Scope& scope, Receive& receive, Send& send,
                 const PathParameters& parameters, const RequestLimits& limits);

}  // namespace atlas::asgi
