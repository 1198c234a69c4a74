#include <atlas/asgi/toolkit/handler_call.hpp>

#include <atlas/asgi/toolkit/background.hpp>
#include <atlas/asgi/toolkit/problem.hpp>

#include <utility>

namespace atlas::asgi {
namespace {

Response response_of(const Handler& handler, Request& request) {
  try {
    return handler(request);
  } catch (const HttpError& error) {
    return error_response(error);
  }
}

/// Also when the client has not taken the response.
struct Background {
  const Scope& scope;
  std::vector<UniqueFunction> works;
  ~Background() {
    if (!works.empty()) run_background(scope, std::move(works));
  }
};

}  // namespace

void answer_with(const Handler& handler, const Scope& scope, Receive& receive, Send& send,
                 const PathParameters& parameters, const RequestLimits& limits) {
  Request request(scope, receive, parameters, limits);
  auto response = response_of(handler, request);
  const Background afterwards{scope, response.take_background()};
  response.send(scope, send);
}

}  // namespace atlas::asgi
