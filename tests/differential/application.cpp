// What Atlas serves to the differential test: each request's path and how much of a body it had, whatever it
// was.
#include <atlas/asgi/plugin.hpp>

#include <fmt/format.h>

#include <string>

namespace {

using namespace atlas;

void differential_application(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  if (scope.type != asgi::ScopeType::http) throw asgi::UnsupportedScope(scope);
  std::size_t bytes = 0;
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<asgi::HttpRequest>(&message);
    if (piece == nullptr) return;
    bytes += piece->body.size();
    more = piece->more_body;
  }
  const std::string_view path = scope.raw_path;
  send(asgi::HttpResponseStart{.headers = {{"x-path", path}, {"x-body", fmt::format("{}", bytes)}}});
  send(asgi::HttpResponseBody{});
}

}  // namespace

ATLAS_APPLICATION(differential_application);
