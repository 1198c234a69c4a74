// The application of bench/soak: everything that a server has to survive for long, in few lines.
#include <atlas/asgi/plugin.hpp>
#include <atlas/core/fiber.hpp>

#include <array>
#include <charconv>
#include <stdexcept>

using namespace atlas;

namespace {

constexpr std::string_view line = "one of the lines that a stream is made of\n";

/// The number behind the first `=` of the query.
int number(std::string_view query) {
  const auto text = query.substr(std::min(query.size(), query.find('=') + 1));
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void plaintext(const asgi::Scope&, asgi::Receive&, asgi::Send& send) {
  send(asgi::HttpResponseStart{.headers = {{"content-type", "text/plain"}}});
  send(asgi::HttpResponseBody{.body = "Hello, World!"});
}

void sleep(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  this_fiber::sleep_for(std::chrono::milliseconds(number(scope.query_string))).value();
  plaintext(scope, receive, send);
}

void stream(const asgi::Scope& scope, asgi::Receive&, asgi::Send& send) {
  send(asgi::HttpResponseStart{.headers = {{"content-type", "text/plain"}}});
  for (int left = number(scope.query_string); left > 0; --left) {
    send(asgi::HttpResponseBody{.body = line, .more_body = true});
    this_fiber::yield();
  }
  send(asgi::HttpResponseBody{});
}

void fail(const asgi::Scope&, asgi::Receive&, asgi::Send&) { throw std::runtime_error("as asked"); }

void fail_late(const asgi::Scope&, asgi::Receive&, asgi::Send& send) {
  send(asgi::HttpResponseStart{});
  send(asgi::HttpResponseBody{.body = line, .more_body = true});
  throw std::runtime_error("as asked, late");
}

struct Route {
  std::string_view path;
  void (*handler)(const asgi::Scope&, asgi::Receive&, asgi::Send&);
};

constexpr std::array routes{Route{"/plaintext", plaintext}, Route{"/sleep", sleep}, Route{"/stream", stream},
                            Route{"/throw", fail}, Route{"/throw-late", fail_late}};

void soak_app(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  if (scope.type != asgi::ScopeType::http) throw asgi::UnsupportedScope(scope);
  for (const auto& route : routes) {
    if (route.path == scope.path) return route.handler(scope, receive, send);
  }
  send(asgi::HttpResponseStart{.status = 404});
  send(asgi::HttpResponseBody{});
}

}  // namespace

ATLAS_APPLICATION(soak_app);
