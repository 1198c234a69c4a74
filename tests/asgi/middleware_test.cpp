// Middleware that guards an application or changes its responses, as clients see it.
#include <atlas/asgi/middleware/access_log_fields.hpp>

#include "support/captured_log.hpp"

#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/middleware/authentication.hpp>
#include <atlas/asgi/middleware/concurrency_limit.hpp>
#include <atlas/asgi/middleware/cors.hpp>
#include <atlas/asgi/middleware/error_pages.hpp>
#include <atlas/asgi/middleware/proxy_headers.hpp>
#include <atlas/asgi/middleware/rate_limit.hpp>
#include <atlas/asgi/middleware/request_id.hpp>
#include <atlas/asgi/middleware/security_headers.hpp>
#include <atlas/asgi/middleware/timeout.hpp>
#include <atlas/asgi/middleware/trusted_hosts.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/core/fiber.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::middleware_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;
using Fields = std::vector<std::pair<std::string, std::string>>;

Router hello() {
  Router routes;
  routes.get("/", [] { return "hello"; });
  routes.post("/", [] { return "posted"; });
  return routes;
}

Application around(Middleware layer, Application inner = hello()) {
  return with_middleware(std::move(inner), {std::move(layer)});
}

// ---- security headers ----

TEST(SecurityHeaders, AreAddedWhereTheApplicationHasNone) {
  Router routes;
  routes.get("/", [] { return text("x").with("X-Frame-Options", "SAMEORIGIN"); });
  TestClient client(around(security_headers({.content_security_policy = "default-src 'self'"}), routes));
  const auto response = client.get("/");
  EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(response.header("referrer-policy"), "strict-origin-when-cross-origin");
  EXPECT_EQ(response.header("content-security-policy"), "default-src 'self'");
  EXPECT_EQ(response.header("x-frame-options"), "SAMEORIGIN");
  EXPECT_EQ(response.count("x-frame-options"), 1U);
  EXPECT_EQ(response.header("permissions-policy"), std::nullopt);
  EXPECT_EQ(response.header("strict-transport-security"), std::nullopt) << "not on http";
}

TEST(SecurityHeaders, AskForHttpsOnHttpsOnly) {
  const auto app = with_middleware(
      hello(), {proxy_headers({.trusted = "192.0.2.1"}),
                security_headers({.transport_security = 60s, .transport_security_subdomains = true})});
  TestClient client(app);
  const auto response =
      client.get("/", {.headers = {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-proto", "https"}}});
  EXPECT_EQ(response.header("strict-transport-security"), "max-age=60; includeSubDomains");
}

TEST(SecurityHeaders, WhatCannotBeAHeaderIsRefused) {
  EXPECT_THROW(static_cast<void>(security_headers({.frame_options = "a\r\nb"})), std::invalid_argument);
}

// ---- request id ----

TEST(RequestId, IsInTheResponseAndUnique) {
  Router routes;
  routes.get("/", [](Request& request) { return std::string(request_id_of(request.scope())); });
  TestClient client(around(request_id(), routes));
  const auto first = client.get("/", {.headers = {{"x-request-id", "mine"}}});
  EXPECT_EQ(first.header("x-request-id"), first.body);
  EXPECT_NE(first.body, "mine");
  EXPECT_NE(client.get("/").body, first.body);
}

TEST(RequestId, OfAClientIsTakenOnlyWhereItIsTrustedAndSafe) {
  Router routes;
  routes.get("/", [](Request& request) { return std::string(request_id_of(request.scope())); });
  TestClient client(around(request_id({.trust_client = true}), routes));
  const auto ask = [&](std::string id) {
    return client.get("/", {.headers = {{"x-request-id", std::move(id)}}}).body;
  };
  EXPECT_EQ(ask("a-1_2.3:4"), "a-1_2.3:4");
  EXPECT_EQ(ask(std::string(128, 'x')), std::string(128, 'x'));
  EXPECT_NE(ask(std::string(129, 'x')), std::string(129, 'x'));
  EXPECT_NE(ask("a b"), "a b");
}

// ---- trusted hosts ----

TEST(TrustedHosts, OthersAreRefused) {
  TestClient client(around(trusted_hosts({"example.com", "*.example.org"})));
  const auto ask = [&](std::string host) {
    return client.get("/", {.headers = {{"host", std::move(host)}}}).status;
  };
  EXPECT_EQ(ask("Example.com:80"), 200);
  EXPECT_EQ(ask("a.example.org"), 200);
  EXPECT_EQ(ask("example.org"), 400);
  EXPECT_EQ(ask("evil.com"), 400);
  EXPECT_EQ(ask("example.com.evil.com"), 400);
  EXPECT_THROW(static_cast<void>(trusted_hosts({})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(trusted_hosts({"a.*"})), std::invalid_argument);
}

// ---- cors ----

TEST(Cors, AnOriginThatIsAllowedMayRead) {
  TestClient client(
      around(cors({.origins = {"https://app.example"}, .expose_headers = {"x-total"}, .credentials = true})));
  const auto response = client.get("/", {.headers = {{"origin", "https://app.example"}}});
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.header("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(response.header("access-control-allow-credentials"), "true");
  EXPECT_EQ(response.header("access-control-expose-headers"), "x-total");
  EXPECT_EQ(response.header("vary"), "origin");
  const auto other = client.get("/", {.headers = {{"origin", "https://evil.example"}}});
  EXPECT_EQ(other.body, "hello");
  EXPECT_EQ(other.header("access-control-allow-origin"), std::nullopt);
  EXPECT_EQ(other.header("vary"), "origin");
  EXPECT_EQ(client.get("/").header("vary"), "origin");
}

TEST(Cors, PreflightsDoNotReachTheApplication) {
  TestClient client(around(cors({.origins = {"https://app.example"},
                                 .methods = {"GET", "PUT"},
                                 .headers = {"x-key"},
                                 .max_age = 60s})));
  const auto ask = [&](std::string origin) {
    return client.options(
        "/nothing", {.headers = {{"origin", std::move(origin)}, {"access-control-request-method", "PUT"}}});
  };
  const auto allowed = ask("https://app.example");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.header("access-control-allow-methods"), "GET, PUT");
  EXPECT_EQ(allowed.header("access-control-allow-headers"), "x-key");
  EXPECT_EQ(allowed.header("access-control-max-age"), "60");
  EXPECT_EQ(ask("https://evil.example").header("access-control-allow-methods"), std::nullopt);
  EXPECT_EQ(ask("null").header("access-control-allow-origin"), std::nullopt);
  EXPECT_EQ(client.options("/", {.headers = {{"origin", "https://app.example"}}}).header("allow"),
            "GET, HEAD, POST, OPTIONS");
}

TEST(Cors, AllOriginsAreAStarWithoutVary) {
  TestClient client(around(cors({.origins = {"*"}, .headers = {"*"}})));
  const auto response = client.get("/", {.headers = {{"origin", "https://a.example"}}});
  EXPECT_EQ(response.header("access-control-allow-origin"), "*");
  EXPECT_EQ(response.header("vary"), std::nullopt);
  const auto preflight = client.options("/", {.headers = {{"origin", "https://a.example"},
                                                          {"access-control-request-method", "GET"},
                                                          {"access-control-request-headers", "x-a, x-b"}}});
  EXPECT_EQ(preflight.header("access-control-allow-headers"), "x-a, x-b");
}

TEST(Cors, APredicateMayDecide) {
  TestClient client(
      around(cors({.origin_allowed = [](std::string_view origin) { return origin.ends_with(".example"); }})));
  EXPECT_EQ(
      client.get("/", {.headers = {{"origin", "https://a.example"}}}).header("access-control-allow-origin"),
      "https://a.example");
}

TEST(Cors, OptionsThatContradictOneAnotherAreRefused) {
  EXPECT_THROW(static_cast<void>(cors({.origins = {"*"}, .credentials = true})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(cors({})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(cors({.origins = {"app.example"}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(cors({.origins = {"https://app.example/"}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(cors({.origins = {"*"}, .methods = {"A B"}})), std::invalid_argument);
}

// ---- error pages ----

void failing(const Scope& scope, Receive&, Send& send) {
  if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
  if (scope.path == "/http") throw HttpError(409, "<taken>", {{"x-why", "1"}});
  if (scope.path == "/late") {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "half", .more_body = true});
  }
  if (scope.path == "/odd") throw 7;
  throw std::runtime_error("secret <b>");
}

TEST(ErrorPages, TellNothingInProduction) {
  TestClient client(around(error_pages(), failing));
  const auto problem = client.get("/");
  EXPECT_EQ(problem.status, 500);
  EXPECT_EQ(problem.body, R"({"title":"Internal Server Error","status":500})");
  const auto page = client.get("/", {.headers = {{"accept", "text/html"}}});
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.get("/odd").status, 500);
}

TEST(ErrorPages, TellWhatIsMeantForTheClient) {
  TestClient client(around(error_pages(), failing));
  const auto problem = client.get("/http");
  EXPECT_EQ(problem.status, 409);
  EXPECT_EQ(problem.header("x-why"), "1");
  EXPECT_NE(problem.body.find("<taken>"), std::string::npos);
  EXPECT_NE(client.get("/http", {.headers = {{"accept", "text/html"}}}).body.find("&lt;taken&gt;"),
            std::string::npos);
}

TEST(ErrorPages, TellDevelopersEverythingButSecrets) {
  TestClient client(around(error_pages({.debug = true}), failing));
  EXPECT_NE(client.get("/").body.find("secret <b>"), std::string::npos);
  const auto page =
      client.get("/?q=<i>", {.headers = {{"accept", "text/html"}, {"cookie", "key=1"}, {"x-a", "<u>"}}}).body;
  EXPECT_NE(page.find("secret &lt;b&gt;"), std::string::npos);
  EXPECT_NE(page.find("GET /?q=&lt;i&gt;"), std::string::npos);
  EXPECT_NE(page.find("x-a: &lt;u&gt;"), std::string::npos);
  EXPECT_EQ(page.find("key=1"), std::string::npos);
}

TEST(ErrorPages, MayBeTheUsersOwn) {
  TestClient client(
      around(error_pages({.pages = {{500, Handler([] { return html("<h1>Sorry</h1>"); })}}}), failing));
  const auto response = client.get("/");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "<h1>Sorry</h1>");
}

TEST(ErrorPages, AResponseThatHasBegunIsCut) {
  TestClient client(around(error_pages(), failing), {.raise_errors = false});
  const auto response = client.get("/late");
  EXPECT_EQ(response.body, "half");
  EXPECT_FALSE(response.complete);
}

// ---- timeout ----

TEST(Timeout, EndsWhatTakesTooLong) {
  Router routes;
  routes.get("/slow", [] {
    this_fiber::sleep_for(1h).value();
    return "late";
  });
  routes.get("/quick", [] {
    this_fiber::sleep_for(4s).value();
    return "quick";
  });
  routes.get("/deadline", [](Request& request) { return request.deadline().is_never() ? "never" : "some"; });
  TestClient client(around(timeout(5s), routes));
  const auto begun = client.now();
  EXPECT_EQ(client.get("/slow").status, 504);
  EXPECT_EQ(client.now() - begun, 5s);
  EXPECT_EQ(client.get("/quick").body, "quick");
  EXPECT_EQ(client.get("/deadline").body, "some");
  EXPECT_THROW(static_cast<void>(timeout(0s)), std::invalid_argument);
}

TEST(Timeout, OtherFailuresStayWhatTheyAre) {
  Router routes;
  routes.get("/", []() -> Response { throw std::domain_error("broken"); });
  TestClient client(around(timeout(5s), routes));
  EXPECT_THROW(static_cast<void>(client.get("/")), std::domain_error);
}

// ---- authentication ----

Router who() {
  Router routes;
  routes.get("/", [](Request& request) { return std::string(identity_of(request.scope())); });
  return routes;
}

TEST(BasicAuth, LetsInWhoIsKnown) {
  TestClient client(around(basic_auth(
                               [](std::string_view user, std::string_view password) {
                                 return equals_secret(password, "open:sesame")
                                            ? std::optional(std::string(user))
                                            : std::nullopt;
                               },
                               "cave"),
                           who()));
  const auto ask = [&](std::string value) {
    return client.get("/", {.headers = {{"authorization", std::move(value)}}});
  };
  EXPECT_EQ(ask("Basic YWxpOm9wZW46c2VzYW1l").body, "ali");
  EXPECT_EQ(ask("basic  YWxpOm9wZW46c2VzYW1l ").body, "ali");
  const auto refused = ask("Basic YWxpOng=");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("www-authenticate"), "Basic realm=\"cave\", charset=\"UTF-8\"");
  EXPECT_EQ(client.get("/").status, 401);
  EXPECT_EQ(ask("Bearer abc").status, 401);
  for (const char* malformed :
       {"Basic", "Basic !!!!", "Basic YWxp", "Basic YWxpOng", "Basic /zo6eA==", "Basic YWxpOng=\tx"}) {
    EXPECT_NE(ask(malformed).status, 200) << malformed;
  }
  EXPECT_EQ(ask("Basic !!!!").status, 400);
  EXPECT_EQ(client.get("/", {.headers = {{"authorization", "Basic a"}, {"authorization", "Basic b"}}}).status,
            400);
}

TEST(BearerAuth, LetsInWhoHasAToken) {
  TestClient client(around(bearer_auth([](std::string_view token) {
                             return token == "t.o-k~e+n/=" ? std::optional<std::string>("ada") : std::nullopt;
                           }),
                           who()));
  const auto ask = [&](std::string value) {
    return client.get("/", {.headers = {{"authorization", std::move(value)}}});
  };
  EXPECT_EQ(ask("Bearer t.o-k~e+n/=").body, "ada");
  EXPECT_EQ(ask("Bearer other").status, 401);
  EXPECT_EQ(ask("Bearer other").header("www-authenticate"), "Bearer realm=\"restricted\"");
  EXPECT_EQ(ask("Bearer a b").status, 400);
  EXPECT_EQ(ask("Bearer =").status, 400);
}

// ---- rate limit ----

TEST(RateLimit, SpreadsRequestsOverItsWindow) {
  TestClient client(around(rate_limit({.requests = 6, .window = 60s, .burst = 2})));
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.get("/").status, 200);
  const auto refused = client.get("/");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("retry-after"), "10");
  client.advance(10s);
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.get("/").status, 429);
  client.advance(1h);
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.get("/").status, 429);
}

TEST(RateLimit, EachKeyHasItsOwn) {
  const auto key = [](const Scope& scope) { return std::string(scope.headers.find("x-key").value_or("")); };
  TestClient client(around(rate_limit({.requests = 1, .burst = 1, .key = key})));
  const auto ask = [&](std::string value) {
    return client.get("/", {.headers = {{"x-key", std::move(value)}}}).status;
  };
  EXPECT_EQ(ask("a"), 200);
  EXPECT_EQ(ask("a"), 429);
  EXPECT_EQ(ask("b"), 200);
}

TEST(RateLimit, AFloodOfKeysSetsNobodyFree) {
  const auto key = [](const Scope& scope) { return std::string(scope.headers.find("x-key").value_or("")); };
  TestClient client(around(rate_limit({.requests = 1, .burst = 1, .key = key, .keys_max = 16})));
  const auto ask = [&](int value) {
    return client.get("/", {.headers = {{"x-key", std::to_string(value)}}}).status;
  };
  int served = 0;
  for (int i = 0; i < 200; ++i) served += ask(i) == 200 ? 1 : 0;
  EXPECT_LE(served, 32) << "one for each place, and one for each shard's newcomers";
  client.advance(1h);
  EXPECT_EQ(ask(1000), 200) << "places become free again";
}

TEST(RateLimit, AnIpv6NetworkSharesAnAllowance) {
  const auto served = [](const std::vector<std::string>& hosts, int bits) {
    const auto limited = around(rate_limit({.requests = 1, .burst = 1, .ipv6_prefix_bits = bits}));
    TestClient client([&](const Scope& scope, Receive& receive, Send& send) {
      auto seen = scope;
      if (scope.type == ScopeType::http) seen.client = Endpoint{.host = *scope.headers.find("x-from")};
      limited(seen, receive, send);
    });
    int count = 0;
    for (const auto& host : hosts)
      count += client.get("/", {.headers = {{"x-from", host}}}).status == 200 ? 1 : 0;
    return count;
  };
  EXPECT_EQ(served({"2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"}, 64), 1);
  EXPECT_EQ(served({"2001:db8::1", "2001:db8:0:1::1"}, 64), 2);
  EXPECT_EQ(served({"2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:ff::1"}, 56), 1);
  EXPECT_EQ(served({"2001:db8::1", "2001:db8::2"}, 128), 2);
  EXPECT_EQ(served({"fe80::1%eth0", "fe80::2%eth1"}, 64), 1);
  EXPECT_EQ(served({"192.0.2.1", "192.0.2.2"}, 64), 2);
}

TEST(RateLimit, ALimitOfNothingIsRefused) {
  EXPECT_THROW(static_cast<void>(rate_limit({.ipv6_prefix_bits = 129})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(rate_limit({.requests = 0})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(rate_limit({.burst = 0})), std::invalid_argument);
}

// ---- concurrency limit ----

TEST(ConcurrencyLimit, ThoseAboveWaitTheirTurn) {
  Router routes;
  routes.get("/", [] {
    this_fiber::sleep_for(1s).value();
    return "done";
  });
  TestClient client(
      around(concurrency_limit({.running_max = 1, .waiting_max = 1, .waiting_time_max = 5s}), routes));
  auto first = client.open("GET", "/");
  auto second = client.open("GET", "/");
  const auto third = client.get("/");
  EXPECT_EQ(third.status, 503);
  EXPECT_EQ(third.header("retry-after"), "1");
  EXPECT_EQ(second.finish().body, "done");
  EXPECT_EQ(first.finish().body, "done");
  EXPECT_EQ(client.get("/").body, "done");
}

TEST(ConcurrencyLimit, WhoHasWaitedTooLongIsSentAway) {
  Router routes;
  routes.get("/", [] {
    this_fiber::sleep_for(1h).value();
    return "done";
  });
  TestClient client(around(concurrency_limit({.running_max = 1, .waiting_time_max = 200ms}), routes));
  auto first = client.open("GET", "/");
  const auto begun = client.now();
  EXPECT_EQ(client.get("/").status, 503);
  EXPECT_EQ(client.now() - begun, 200ms);
  EXPECT_EQ(first.finish().body, "done");
}

TEST(ConcurrencyLimit, APlaceIsGivenBackWhateverHappens) {
  Router routes;
  routes.get("/", []() -> Response { throw std::domain_error("broken"); });
  TestClient client(around(concurrency_limit({.running_max = 1}), routes));
  for (int i = 0; i < 3; ++i) EXPECT_THROW(static_cast<void>(client.get("/")), std::domain_error);
}

// ---- proxy headers ----

void tell_origin(const Scope& scope, Receive&, Send& send) {
  if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
  send(HttpResponseStart{});
  send(HttpResponseBody{.body = std::string(scope.client->host) + " " + std::string(scope.scheme) + " " +
                                std::string(scope.headers.find("host").value_or(""))});
}

std::string origin(const ProxyHeaders& options, Fields fields, std::string peer = "192.0.2.1") {
  TestClient client(around(proxy_headers(options), tell_origin), {.client_host = std::move(peer)});
  return client.get("/", {.headers = std::move(fields)}).body;
}

TEST(ProxyHeaders, OfATrustedProxyAreBelieved) {
  EXPECT_EQ(origin({.trusted = "192.0.2.1"}, {{"x-forwarded-for", "203.0.113.9"},
                                              {"x-forwarded-proto", "https"},
                                              {"x-forwarded-host", "shop.example"}}),
            "203.0.113.9 https shop.example");
  EXPECT_EQ(origin({.trusted = "192.0.2.1", .source = ProxyHeaders::Source::forwarded},
                   {{"forwarded", "for=\"[2001:db8::9]:4711\";proto=https;host=shop.example"}}),
            "2001:db8::9 https shop.example");
}

TEST(ProxyHeaders, OfOthersAreNot) {
  EXPECT_EQ(
      origin({.trusted = "10.0.0.0/8"}, {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-proto", "https"}}),
      "192.0.2.1 http testserver");
  EXPECT_EQ(origin({.trusted = "192.0.2.1"}, {{"forwarded", "for=203.0.113.9"}}),
            "192.0.2.1 http testserver");
}

TEST(ProxyHeaders, AChainIsFollowedAsFarAsItIsTrusted) {
  const ProxyHeaders options{.trusted = "192.0.2.1, 10.0.0.0/8"};
  EXPECT_EQ(origin(options, {{"x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.7"}}),
            "203.0.113.9 http testserver");
  EXPECT_EQ(origin(options, {{"x-forwarded-for", "6.6.6.6"}, {"x-forwarded-for", "203.0.113.9:80"}}),
            "203.0.113.9 http testserver");
  EXPECT_EQ(origin(options, {{"x-forwarded-for", "10.0.0.9, 10.0.0.7"}}), "10.0.0.9 http testserver");
}

TEST(ProxyHeaders, WhatIsMalformedIsNotBelieved) {
  const ProxyHeaders options{.trusted = "192.0.2.1, 10.0.0.0/8"};
  EXPECT_EQ(origin(options, {{"x-forwarded-for", "unknown"}}), "192.0.2.1 http testserver");
  EXPECT_EQ(origin(options, {{"x-forwarded-for", "6.6.6.6, x, 10.0.0.7"}}), "10.0.0.7 http testserver");
  EXPECT_EQ(origin(options, {{"x-forwarded-for", "203.0.113.9"},
                             {"x-forwarded-proto", "gopher"},
                             {"x-forwarded-host", "a/b"}}),
            "203.0.113.9 http testserver");
  std::string many = "203.0.113.9";
  for (int i = 0; i < 1000; ++i) many += ", 10.0.0.7";
  EXPECT_EQ(origin(options, {{"x-forwarded-for", many}}), "10.0.0.7 http testserver") << "bounded";
}

TEST(ProxyHeaders, ATextThatIsNoListOfNetworksIsRefused) {
  EXPECT_THROW(static_cast<void>(proxy_headers({.trusted = ""})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(proxy_headers({.trusted = "localhost"})), std::invalid_argument);
}

// ---- access log fields ----

/// The request's line.
std::string access_line(const std::vector<Middleware>& middleware, const TestRequest& request = {},
                        AccessLogFormat format = AccessLogFormat::common) {
  Router routes;
  routes.get("/", [](Request& asked) {
    set_access_field(asked.scope(), "of_handler", "1");
    return text("ok").with("X-Cache", "hit");
  });
  testing::CapturedLog log;
  TestClientOptions options;
  options.server.access_log = format;
  {
    TestClient client(with_middleware(routes, middleware), options);
    EXPECT_EQ(client.get("/", request).status, 200);
  }
  return log.take();
}

TEST(AccessLogFields, AreOfRequestResponseAndOnesOwn) {
  const auto line = access_line(
      {request_id({.trust_client = true}),
       access_log_fields(
           {.request_headers = {"X-Trace", "x-none"},
            .response_headers = {"x-cache"},
            .values = {{"twice", [](const Scope& scope) { return fmt::format("{0}{0}", scope.path); }}}})},
      {.headers = {{"x-request-id", "id-1"}, {"x-trace", "t"}}});
  EXPECT_TRUE(
      line.ends_with("\"request_id=id-1\" \"x-trace=t\" \"twice=//\" \"of_handler=1\" \"x-cache=hit\"\n"))
      << line;
}

TEST(AccessLogFields, ARefusedRequestHasItsIdToo) {
  Router routes;
  testing::CapturedLog log;
  TestClientOptions options;
  options.server.access_log = AccessLogFormat::common;
  {
    TestClient client(with_middleware(routes, {request_id({.trust_client = true}), trusted_hosts({"other"})}),
                      options);
    EXPECT_EQ(client.get("/", {.headers = {{"x-request-id", "id-1"}}}).status, 400);
  }
  EXPECT_TRUE(log.take().ends_with("\"request_id=id-1\"\n"));
}

TEST(AccessLogFields, WhoAsksAndFromWhereNeedNoMiddleware) {
  const auto verify = [](std::string_view user, std::string_view) {
    return std::optional(std::string(user));
  };
  const auto line =
      access_line({proxy_headers({.trusted = "192.0.2.0/24"}), basic_auth(verify)},
                  {.headers = {{"authorization", "Basic YW5uOng="}, {"x-forwarded-for", "198.51.100.9"}}});
  EXPECT_TRUE(line.starts_with("198.51.100.9 - ann [")) << line;
}

}  // namespace
}  // namespace atlas::middleware_test
