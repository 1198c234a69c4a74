#include <atlas/app/demo.hpp>

#include <atlas/app/demo_page.hpp>
#include <atlas/app/fiber_page.hpp>
#include <atlas/asgi/fiber_census.hpp>
#include <atlas/asgi/server_status.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/version.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
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

/// A whole number of the query, 0 to `max`.
int bounded(Request& request, std::string_view name, int fallback, int max) {
  const int number = request.query<int>(name, fallback);
  if (number < 0 || number > max)
    throw ValidationError(fmt::format("query.{}", name), fmt::format("is not in 0 to {}", max));
  return number;
}

// ---- what load tests use ----

Response plaintext() { return content("text/plain", "Hello, World!"); }

struct Greeting {
  std::string_view message;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("message", self.message);
  }
};

Greeting greeting() { return {"Hello, World!"}; }

/// Sends each piece of the body back as it comes: at the seam itself, since both directions stream.
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

Json upload(Request& request) {
  std::uint64_t bytes = 0;
  while (const auto piece = request.read()) bytes += piece->size();
  return {{"bytes", bytes}};
}

std::string sleep(Request& request) {
  const int ms = bounded(request, "ms", 0, sleep_ms_max);
  this_fiber::sleep_for(std::chrono::milliseconds(ms)).value();
  return fmt::format("slept {} ms\n", ms);
}

Response stream_lines(Request& request) {
  const int chunks = bounded(request, "chunks", 10, stream_chunks_max);
  const int pause_ms = bounded(request, "ms", 0, stream_pause_ms_max);
  return stream("text/plain; charset=utf-8", [=](BodyWriter& body) {
    for (int i = 1; i <= chunks; ++i) {
      body.write(fmt::format("chunk {} of {}\n", i, chunks));
      if (pause_ms > 0) this_fiber::sleep_for(std::chrono::milliseconds(pause_ms)).value();
    }
  });
}

// ---- the page ----

Response page() {
  return html(demo_page)
      .with("content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
      .with("x-content-type-options", "nosniff")
      .with("cache-control", "no-cache");
}

Response facts(Request& request) {
  const auto& atlas = request.scope().extensions.atlas;
  const auto totals = atlas.server != nullptr ? atlas.server->totals() : ServerStatus::Totals{};
  const auto uptime = std::chrono::floor<std::chrono::milliseconds>(totals.uptime);
  return json(Json{{"version", version},
                   {"workers", totals.workers},
                   {"requests", totals.requests},
                   {"connections_open", totals.connections_open},
                   {"connections_accepted", totals.connections_accepted},
                   {"connections_refused", totals.connections_refused},
                   {"fibers_alive", totals.fibers_alive},
                   {"application_failures", totals.application_failures},
                   {"stalls", totals.stalls},
                   {"uptime_ms", uptime.count()},
                   {"worker", atlas.worker},
                   {"connection_id", atlas.connection_id}})
      .with("cache-control", "no-store");
}

Response debug_fibers(Request& request) {
  const auto* census = request.scope().extensions.atlas.fibers;
  if (census == nullptr) throw HttpError(404);
  const bool wants_json = request.query("format", "") == "json" ||
                          request.accepts({"text/html", "application/json"}) == "application/json";
  const auto threads = census->take();
  const auto offload = offload_status();
  auto response = wants_json ? json(fiber_json(threads, offload)) : html(fiber_page(threads, offload));
  return std::move(response)
      .with("content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
      .with("x-content-type-options", "nosniff")
      .with("vary", "accept")
      .with("cache-control", "no-store");
}

}  // namespace

Router demo() {
  Router routes({.redirect_slashes = false});
  routes.get("/plaintext", plaintext);
  routes.get("/json", greeting);
  routes.application({"POST"}, "/echo", echo);
  routes.post("/upload", upload);
  routes.get("/sleep", sleep);
  routes.get("/stream", stream_lines);
  routes.get("/facts", facts);
  routes.get("/", page);
  routes.get("/debug/fibers", debug_fibers);
  return routes;
}

}  // namespace atlas::app
