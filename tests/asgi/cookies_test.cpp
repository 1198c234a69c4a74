// Cookies: found in what clients send, and written so that browsers take them.
#include <atlas/asgi/toolkit/cookies.hpp>

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::cookies_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

std::optional<std::string_view> find(std::vector<http::Header> fields, std::string_view name) {
  return find_cookie(http::HeadersView(fields), name);
}

TEST(Cookies, AreFoundByName) {
  const std::vector<http::Header> fields{{"cookie", "a=1; b=x=y;c=\"q\" ; d="}, {"cookie", "e=5; a=6"}};
  EXPECT_EQ(find(fields, "a"), "1");
  EXPECT_EQ(find(fields, "b"), "x=y");
  EXPECT_EQ(find(fields, "c"), "q");
  EXPECT_EQ(find(fields, "d"), "");
  EXPECT_EQ(find(fields, "e"), "5");
  EXPECT_EQ(find(fields, "f"), std::nullopt);
  EXPECT_EQ(find({}, "a"), std::nullopt);
}

TEST(Cookies, JunkIsPassedOver) {
  EXPECT_EQ(find({{"cookie", ";;; junk; =x; a b; a=1"}}, "a"), "1");
  EXPECT_EQ(find({{"cookie", "A=1"}}, "a"), std::nullopt);
}

TEST(Cookies, TenThousandCostNoMoreThanTheFirst) {
  std::string many;
  for (std::size_t i = 0; i < 10'000; ++i) many += "c" + std::to_string(i) + "=1;";
  EXPECT_EQ(find({{"cookie", many}}, "c299"), "1");
  EXPECT_EQ(find({{"cookie", many}}, "c300"), std::nullopt);
}

TEST(Cookies, AreSafeUnlessSaidOtherwise) {
  EXPECT_EQ(to_text(Cookie{.name = "a", .value = "1"}), "a=1; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(to_text(Cookie{.name = "a",
                           .value = "1",
                           .max_age = 1h,
                           .expires = std::chrono::system_clock::time_point(784111777s),
                           .path = "/x",
                           .domain = "example.com",
                           .http_only = false,
                           .same_site = SameSite::none,
                           .partitioned = true}),
            "a=1; Max-Age=3600; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Domain=example.com; Path=/x; Secure; "
            "SameSite=None; Partitioned");
}

std::string refusal(const Cookie& cookie) {
  try {
    static_cast<void>(to_text(cookie));
    return "none";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

TEST(Cookies, WhatBrowsersWouldDropIsRefused) {
  EXPECT_EQ(refusal({.name = "a b"}), "cookie 'a b' has a name that is no token");
  EXPECT_EQ(refusal({.name = ""}), "cookie '' has a name that is no token");
  for (const char* value : {"a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nb", "\xc3\xa9"}) {
    EXPECT_EQ(refusal({.name = "a", .value = value}),
              "cookie 'a' has a value with characters that must be encoded");
  }
  EXPECT_EQ(refusal({.name = "a", .path = "x"}), "cookie 'a' has a path that is none");
  EXPECT_EQ(refusal({.name = "a", .path = "/;"}), "cookie 'a' has a path that is none");
  EXPECT_EQ(refusal({.name = "a", .domain = "a b"}), "cookie 'a' has a domain that is none");
  EXPECT_EQ(refusal({.name = "__Secure-a", .secure = false}),
            "cookie '__Secure-a' must be secure, because of its name");
  EXPECT_EQ(refusal({.name = "__Host-a", .path = "/x"}),
            "cookie '__Host-a' must have the path '/' and no domain, because of its name");
  EXPECT_EQ(refusal({.name = "__host-a", .path = "/x"}),
            "cookie '__host-a' must have the path '/' and no domain, because of its name");
  EXPECT_EQ(refusal({.name = "__SECURE-a", .secure = false}),
            "cookie '__SECURE-a' must be secure, because of its name");
  EXPECT_EQ(refusal({.name = "a", .secure = false, .same_site = SameSite::none}),
            "cookie 'a' must be secure, to go to other sites");
  EXPECT_EQ(refusal({.name = "a", .secure = false, .partitioned = true}),
            "cookie 'a' must be secure, to be partitioned");
}

TEST(Cookies, HaveTheSizeThatBrowsersKeep) {
  const std::string rest = "a=; Path=/; Secure; HttpOnly; SameSite=Lax";
  EXPECT_EQ(refusal({.name = "a", .value = std::string(4096 - rest.size(), 'x')}), "none");
  EXPECT_EQ(refusal({.name = "a", .value = std::string(4097 - rest.size(), 'x')}),
            "cookie 'a' is longer than the 4,096 bytes that browsers keep");
}

TEST(Cookies, HandlersReadAndSetThem) {
  Router routes;
  routes.get("/", [](Request& request) { return std::to_string(request.cookie<int>("visits", 0)); });
  routes.get("/needed", [](Request& request) { return std::string(request.cookie("user")); });
  routes.get("/set", [] { return text("set").set_cookie({.name = "visits", .value = "7"}); });
  routes.get("/forget", [] { return text("").set_cookie(forgotten_cookie("visits")); });
  TestClient client(routes);
  EXPECT_EQ(client.get("/").body, "0");
  static_cast<void>(client.get("/set"));
  EXPECT_EQ(client.get("/").body, "7");
  static_cast<void>(client.get("/forget"));
  EXPECT_EQ(client.get("/").body, "0");
  EXPECT_NE(client.get("/needed").body.find(R"("field":"cookie.user","message":"is missing")"),
            std::string::npos);
}

}  // namespace
}  // namespace atlas::cookies_test
