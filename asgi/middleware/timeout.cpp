#include <atlas/asgi/middleware/timeout.hpp>

#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/core/fiber.hpp>

#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

/// Whether `inner` was overtaken by the deadline before its response had begun; else as it does.
bool ran_out(const Application& inner, Duration limit, const Scope& scope, Receive& receive, Send& send) {
  const auto deadline = Deadline::after(limit);
  const DeadlineScope in_time(deadline);
  AlteredStart watched(send, [](HttpResponseStart&) {});
  Scope limited = scope;
  auto& told = limited.extensions.atlas.deadline;
  told = earlier(told, deadline);
  try {
    inner(limited, receive, watched);
  } catch (const Disconnected&) {
    throw;
  } catch (const std::exception&) {
    if (watched.begun() || !deadline.passed()) throw;
    return true;
  }
  return false;
}

}  // namespace

Middleware timeout(Duration limit) {
  if (limit <= Duration::zero()) throw std::invalid_argument("timeout: not more than no time");
  return http_layer([limit](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    if (ran_out(inner, limit, scope, receive, send)) error_response(HttpError(504)).send(scope, send);
  });
}

}  // namespace atlas::asgi
