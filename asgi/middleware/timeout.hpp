// How long an application may take.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>
#include <atlas/core/time.hpp>

namespace atlas::asgi {

/// Ends the waits of what is inside when `limit` is over, as a DeadlineScope does: 504, when nothing was sent
/// until then, else the response is cut. Code that computes without waiting is not interrupted.
[[nodiscard]] Middleware timeout(Duration limit);

}  // namespace atlas::asgi
