// The examples of docs/middleware.md.
#include <atlas/asgi/middleware/access_log_fields.hpp>
#include <atlas/asgi/middleware/authentication.hpp>
#include <atlas/asgi/middleware/compression.hpp>
#include <atlas/asgi/middleware/concurrency_limit.hpp>
#include <atlas/asgi/middleware/cors.hpp>
#include <atlas/asgi/middleware/decompression.hpp>
#include <atlas/asgi/middleware/error_pages.hpp>
#include <atlas/asgi/middleware/etag.hpp>
#include <atlas/asgi/middleware/proxy_headers.hpp>
#include <atlas/asgi/middleware/rate_limit.hpp>
#include <atlas/asgi/middleware/request_id.hpp>
#include <atlas/asgi/middleware/security_headers.hpp>
#include <atlas/asgi/middleware/sessions.hpp>
#include <atlas/asgi/middleware/timeout.hpp>
#include <atlas/asgi/middleware/trusted_hosts.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::middleware_page {
namespace {

asgi::Application make_service(asgi::Router routes, const std::string& key) {
  return asgi::with_middleware(
      std::move(routes),
      {
          asgi::proxy_headers({.trusted = "10.0.0.0/8"}),  // who asks, before anybody looks
          asgi::request_id(),                              // in all log lines from here on
          asgi::error_pages({.debug = false}),             // catches what all others throw
          asgi::trusted_hosts({"shop.example", "testserver"}),
          asgi::rate_limit({.requests = 600, .burst = 50}), asgi::concurrency_limit({.running_max = 200}),
          asgi::timeout(std::chrono::seconds(10)), asgi::cors({.origins = {"https://app.shop.example"}}),
          asgi::security_headers(), asgi::compression(),
          asgi::etag(),  // inside of compression: of the plain body
          asgi::decompression(), asgi::sessions({.keys = {key}}),
          asgi::access_log_fields({}),  // innermost: it knows what all others have found out
      });
}

asgi::Middleware only_members() {
  return asgi::basic_auth([](std::string_view user, std::string_view password) -> std::optional<std::string> {
    if (!asgi::equals_secret(password, "open sesame")) return std::nullopt;  // may suspend, to ask a database
    return std::string(user);
  });
}

std::string greet(asgi::Request& request) {
  auto& session = asgi::session_of(request.scope());
  session.set("name", std::string(asgi::identity_of(request.scope())));
  return fmt::format("hello, {}\n", asgi::identity_of(request.scope()));
}

asgi::Middleware behind_nginx() { return asgi::proxy_headers({.trusted = "10.0.0.0/8, ::1"}); }
asgi::Middleware behind_another() {
  return asgi::proxy_headers({.trusted = "unix", .source = asgi::ProxyHeaders::Source::forwarded});
}

asgi::Middleware named_by_the_proxy() {
  return asgi::request_id({.header = "x-trace-id", .trust_client = true});
}

asgi::Middleware pages_of_ours() {
  return asgi::error_pages(
      {.pages = {{404, asgi::Handler([] { return asgi::html("<h1>We looked everywhere.</h1>", 404); })}}});
}

asgi::Middleware our_names() { return asgi::trusted_hosts({"shop.example", "*.shop.example"}); }

asgi::Middleware by_api_key() {
  return asgi::rate_limit(
      {.requests = 1000, .window = std::chrono::hours(1), .burst = 100, .key = [](const asgi::Scope& scope) {
         return std::string(scope.headers.find("x-api-key").value_or("none"));
       }});
}

asgi::Middleware around_the_database() {
  return asgi::concurrency_limit(
      {.running_max = 20, .waiting_max = 200, .waiting_time_max = std::chrono::milliseconds(250)});
}

asgi::Middleware quick() { return asgi::timeout(std::chrono::seconds(2)); }

asgi::Middleware for_our_front_end() {
  return asgi::cors({.origins = {"https://app.shop.example"},
                     .methods = {"GET", "POST", "DELETE"},
                     .headers = {"content-type", "authorization"},
                     .expose_headers = {"x-request-id"},
                     .credentials = true});
}

asgi::Middleware strict() {
  return asgi::security_headers(
      {.content_security_policy = "default-src 'self'", .permissions_policy = "camera=(), microphone=()"});
}

asgi::Middleware fast_and_small() {
  return asgi::compression({.bytes_min = 512, .brotli_quality = 5, .media_types = {"application/wasm"}});
}

asgi::Middleware large_uploads() { return asgi::decompression({.bytes_max = std::uint64_t{100} << 20}); }

asgi::Middleware small_ones_only() { return asgi::etag({.bytes_max = 64 * 1024}); }

asgi::Middleware secret_sessions(const std::string& key, const std::string& old_key) {
  return asgi::sessions({.keys = {key, old_key},
                         .encrypted = true,
                         .max_age = std::chrono::hours(8),
                         .same_site = asgi::SameSite::strict});
}

asgi::Middleware told_to_the_log() {
  return asgi::access_log_fields({.request_headers = {"x-forwarded-proto"},
                                  .response_headers = {"x-cache"},
                                  .values = {{"host", [](const asgi::Scope& scope) {
                                                return std::string(scope.headers.find("host").value_or(""));
                                              }}}});
}

TEST(MiddlewarePage, AllOfItFitsTogether) {
  asgi::Router routes;
  routes.group("", {only_members()}, [](asgi::Router& members) { members.get("/", greet); });
  asgi::TestClient client(make_service(routes, std::string(32, 'k')));
  EXPECT_EQ(client.get("/").status, 401);
  const auto response = client.get("/", {.headers = {{"authorization", "Basic YWxpOm9wZW4gc2VzYW1l"}}});
  EXPECT_EQ(response.body, "hello, ali\n");
  for (const char* name : {"x-request-id", "etag", "vary", "x-frame-options", "set-cookie"}) {
    EXPECT_TRUE(response.header(name)) << name;
  }
  EXPECT_EQ(client.get("/", {.headers = {{"host", "evil.example"}}}).status, 400);
}

TEST(MiddlewarePage, EachOfItServes) {
  asgi::Router routes;
  routes.get("/", [] { return "hello"; });
  const asgi::Middleware all[] = {
      behind_nginx(),        behind_another(),
      named_by_the_proxy(),  pages_of_ours(),
      our_names(),           by_api_key(),
      around_the_database(), quick(),
      for_our_front_end(),   strict(),
      fast_and_small(),      large_uploads(),
      small_ones_only(),     secret_sessions(std::string(32, 'k'), std::string(32, 'o')),
      told_to_the_log()};
  for (const auto& middleware : all) {
    asgi::TestClient client(asgi::with_middleware(routes, {middleware}));
    EXPECT_EQ(client.get("/", {.headers = {{"host", "shop.example"}}}).body, "hello");
  }
  asgi::TestClient client(asgi::with_middleware(routes, {pages_of_ours()}));
  EXPECT_EQ(client.get("/none", {.headers = {{"accept", "text/html"}}}).status, 404);
}

}  // namespace
}  // namespace atlas::middleware_page
