#include <atlas/app/demo.hpp>

#include <atlas/app/demo_page.hpp>
#include <atlas/app/fiber_page.hpp>
#include <atlas/app/json_object.hpp>
#include <atlas/asgi/fiber_census.hpp>
#include <atlas/asgi/server_status.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/version.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace atlas::app {
namespace {

using namespace asgi;

constexpr int sleep_ms_max = 60'000;
constexpr int stream_chunks_max = 10'000;
constexpr int stream_pause_ms_max = 1'000;
constexpr char nothing_here[] = "There is nothing here.\n";

void answer(Send& send, int status, const std::string& text) {
  send(HttpResponseStart{.status = status, .headers = {{"content-type", "text/plain; charset=utf-8"}}});
  send(HttpResponseBody{.body = text});
}

void answer_json(Send& send, JsonObject& object) {
  send(HttpResponseStart{.headers = {{"content-type", "application/json"}}});
  send(HttpResponseBody{.body = object.text()});
}

/// The number that follows `name=` in a query, or `fallback` when the name is not there. Nothing when it is
/// not a number, or not in 0 to `max`.
std::optional<int> query_number(std::string_view query, std::string_view name, int fallback, int max) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.substr(0, pair.find('=')) != name) continue;
    const auto text = pair.substr(std::min(name.size() + 1, pair.size()));
    int number = -1;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || stop != text.data() + text.size() || number < 0 || number > max)
      return std::nullopt;
    return number;
  }
  return fallback;
}

// ---- what load tests use ----

void plaintext(const Scope&, Receive&, Send& send) {
  send(HttpResponseStart{.headers = {{"content-type", "text/plain"}}});
  send(HttpResponseBody{.body = "Hello, World!"});
}

void json(const Scope&, Receive&, Send& send) {
  JsonObject object;
  answer_json(send, object.add("message", "Hello, World!"));
}

/// Sends each piece of the body back as it comes.
void echo(const Scope& scope, Receive& receive, Send& send) {
  const auto type = scope.headers.find("content-type").value_or("application/octet-stream");
  Headers headers{{"content-type", type}, {"x-content-type-options", "nosniff"}};
  if (const auto length = scope.headers.find("content-length")) headers.add("content-length", *length);
  send(HttpResponseStart{.headers = std::move(headers)});
  for (;;) {
    const auto message = receive();
    const auto* piece = std::get_if<HttpRequest>(&message);
    if (piece == nullptr) return;  // the client is gone
    send(HttpResponseBody{.body = piece->body, .more_body = piece->more_body});
    if (!piece->more_body) return;
  }
}

void upload(const Scope&, Receive& receive, Send& send) {
  std::uint64_t bytes = 0;
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<HttpRequest>(&message);
    if (piece == nullptr) return;
    bytes += piece->body.size();
    more = piece->more_body;
  }
  JsonObject object;
  answer_json(send, object.add("bytes", bytes));
}

void sleep(const Scope& scope, Receive&, Send& send) {
  const auto ms = query_number(scope.query_string, "ms", 0, sleep_ms_max);
  if (!ms) return answer(send, 400, fmt::format("ms is a whole number, 0 to {}\n", sleep_ms_max));
  this_fiber::sleep_for(std::chrono::milliseconds(*ms)).value();
  answer(send, 200, fmt::format("slept {} ms\n", *ms));
}

void stream(const Scope& scope, Receive&, Send& send) {
  const auto chunks = query_number(scope.query_string, "chunks", 10, stream_chunks_max);
  const auto pause_ms = query_number(scope.query_string, "ms", 0, stream_pause_ms_max);
  if (!chunks || !pause_ms) {
    return answer(send, 400,
                  fmt::format("chunks is a whole number, 0 to {}, and ms, between them, 0 to {}\n",
                              stream_chunks_max, stream_pause_ms_max));
  }
  send(HttpResponseStart{.headers = {{"content-type", "text/plain; charset=utf-8"}}});
  for (int i = 1; i <= *chunks; ++i) {
    send(HttpResponseBody{.body = fmt::format("chunk {} of {}\n", i, *chunks), .more_body = true});
    if (*pause_ms > 0) this_fiber::sleep_for(std::chrono::milliseconds(*pause_ms)).value();
  }
  send(HttpResponseBody{});
}

// ---- the page ----

void page(const Scope&, Receive&, Send& send) {
  send(HttpResponseStart{
      .headers = {
          {"content-type", "text/html; charset=utf-8"},
          {"content-security-policy",
           "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
           "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"x-content-type-options", "nosniff"},
          {"cache-control", "no-cache"}}});
  send(HttpResponseBody{.body = demo_page});
}

void facts(const Scope& scope, Receive&, Send& send) {
  const auto* server = scope.extensions.atlas.server;
  const auto totals = server != nullptr ? server->totals() : ServerStatus::Totals{};
  JsonObject object;
  object.add("version", version)
      .add("workers", totals.workers)
      .add("requests", totals.requests)
      .add("connections_open", totals.connections_open)
      .add("connections_accepted", totals.connections_accepted)
      .add("connections_refused", totals.connections_refused)
      .add("fibers_alive", totals.fibers_alive)
      .add("application_failures", totals.application_failures)
      .add("stalls", totals.stalls)
      .add("uptime_ms", std::chrono::floor<std::chrono::milliseconds>(totals.uptime).count())
      .add("worker", scope.extensions.atlas.worker)
      .add("connection_id", scope.extensions.atlas.connection_id);
  send(HttpResponseStart{.headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}}});
  send(HttpResponseBody{.body = object.text()});
}

bool wants_json(const Scope& scope) {
  if (scope.query_string == "format=json") return true;
  return scope.headers.find("accept").value_or("").find("application/json") != std::string_view::npos;
}

void debug_fibers(const Scope& scope, Receive&, Send& send) {
  const auto* census = scope.extensions.atlas.fibers;
  if (census == nullptr) return answer(send, 404, nothing_here);
  const bool json = wants_json(scope);
  const std::string_view type = json ? "application/json" : "text/html; charset=utf-8";
  const auto threads = census->take();
  const auto offload = offload_status();
  send(HttpResponseStart{
      .headers = {{"content-type", type},
                  {"content-security-policy",
                   "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"},
                  {"x-content-type-options", "nosniff"},
                  {"vary", "accept"},
                  {"cache-control", "no-store"}}});
  send(HttpResponseBody{.body = json ? fiber_json(threads, offload) : fiber_page(threads, offload)});
}

// ---- who answers what ----

struct Route {
  std::string_view path;
  std::string_view method;  // GET answers HEAD as well
  void (*handler)(const Scope&, Receive&, Send&);
};

constexpr Route routes[] = {
    {"/plaintext", "GET", plaintext}, {"/json", "GET", json},   {"/echo", "POST", echo},
    {"/upload", "POST", upload},      {"/sleep", "GET", sleep}, {"/stream", "GET", stream},
    {"/facts", "GET", facts},         {"/", "GET", page},       {"/debug/fibers", "GET", debug_fibers},
};

bool takes(const Route& route, std::string_view method) {
  return method == route.method || (method == "HEAD" && route.method == "GET");
}

void refuse_method(const Route& route, Send& send) {
  Headers headers{{"content-type", "text/plain; charset=utf-8"}};
  headers.add("allow", route.method == "GET" ? std::string_view("GET, HEAD") : route.method);
  send(HttpResponseStart{.status = 405, .headers = std::move(headers)});
  send(HttpResponseBody{.body = "This method is not for this path.\n"});
}

void serve_http(const Scope& scope, Receive& receive, Send& send) {
  const auto path = scope.path.substr(scope.root_path.size());
  for (const auto& route : routes) {
    if (route.path != path) continue;
    return takes(route, scope.method) ? route.handler(scope, receive, send) : refuse_method(route, send);
  }
  answer(send, 404, nothing_here);
}

void serve_lifespan(Receive& receive, Send& send) {
  static_cast<void>(receive());  // lifespan.startup
  send(LifespanStartupComplete{});
  static_cast<void>(receive());  // lifespan.shutdown
  send(LifespanShutdownComplete{});
}

}  // namespace

void demo(const Scope& scope, Receive& receive, Send& send) {
  if (scope.type == ScopeType::lifespan) return serve_lifespan(receive, send);
  serve_http(scope, receive, send);
}

}  // namespace atlas::app
