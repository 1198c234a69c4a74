// The examples of docs/middleware.md.
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
          asgi::rate_limit({.requests = 600, .burst = 50}),
          asgi::concurrency_limit({.running_max = 200}),
          asgi::timeout(std::chrono::seconds(10)),
          asgi::cors({.origins = {"https://app.shop.example"}}),
          asgi::security_headers(),
          asgi::compression(),
          asgi::etag(),  // inside of compression: of the plain body
          asgi::decompression(),
          asgi::sessions({.keys = {key}}),
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

}  // namespace
}  // namespace atlas::middleware_page
