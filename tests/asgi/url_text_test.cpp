// Queries and urlencoded texts: decoded, refused, and read by handlers as typed values.
#include <atlas/asgi/toolkit/url_text.hpp>

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>

#include <string>

namespace atlas::url_text_test {
namespace {

using namespace asgi;
using namespace std::string_view_literals;

TEST(FormText, IsDecoded) {
  EXPECT_EQ(decode_form_text("a+b%20c%2B%C3%A9"), "a b c+\xc3\xa9");
  EXPECT_EQ(decode_form_text(""), "");
}

TEST(FormText, WhatIsMalformedIsRefused) {
  for (const auto text :
       {"%"sv, "%4"sv, "%zz"sv, "a%"sv, "%00"sv, "%ff"sv, "%C3"sv, "\xff"sv, "%ED%A0%80"sv, "\0"sv}) {
    EXPECT_EQ(decode_form_text(text), std::nullopt) << text;
  }
}

TEST(FormText, IsEncodedSoThatItIsReadBack) {
  EXPECT_EQ(encode_form_text("a b&c=d+\xc3\xa9-._~"), "a%20b%26c%3Dd%2B%C3%A9-._~");
  EXPECT_EQ(decode_form_text(encode_form_text("100% & more?")), "100% & more?");
}

Router routes_of_values() {
  Router routes;
  routes.get("/page", [](Request& request) {
    return std::to_string(request.query<int>("page", 1)) + " " + std::string(request.query("sort", "name")) +
           " " + std::to_string(request.query<bool>("all", std::nullopt).value_or(false));
  });
  routes.get("/needed", [](Request& request) { return std::string(request.query("q")); });
  routes.get("/many", [](Request& request) {
    int sum = 0;
    for (const int number : request.query_all<int>("n")) sum += number;
    return std::to_string(sum);
  });
  routes.get("/all", [](Request& request) {
    std::string all;
    for (const auto& [name, value] : request.query_parameters())
      all.append(name).append("=").append(value).append(";");
    return all;
  });
  return routes;
}

TEST(Query, ValuesHaveTypesAndFallbacks) {
  TestClient client(routes_of_values());
  EXPECT_EQ(client.get("/page").body, "1 name 0");
  EXPECT_EQ(client.get("/page?page=7&sort=a+b&all=true&page=8").body, "7 a b 1");
  EXPECT_EQ(client.get("/needed?q=").body, "");
  EXPECT_EQ(client.get("/needed?q").body, "");
}

TEST(Query, NamesAndValuesKeepTheirOrder) {
  TestClient client(routes_of_values());
  EXPECT_EQ(client.get("/all?b=1&a=2&&b=3&=4&c&d=e=f&%61+%3D=%26").body, "b=1;a=2;b=3;=4;c=;d=e=f;a ==&;");
  EXPECT_EQ(client.get("/all?").body, "");
}

TEST(Query, WhatIsMissingOrWrongIsNamed) {
  TestClient client(routes_of_values());
  const auto missing = client.get("/needed");
  EXPECT_EQ(missing.status, 422);
  EXPECT_NE(missing.body.find(R"({"field":"query.q","message":"is missing"})"), std::string::npos);
  const auto wrong = client.get("/page?page=x");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_NE(wrong.body.find(R"({"field":"query.page","message":"is not a whole number in range"})"),
            std::string::npos);
}

TEST(Query, BrokenEncodingIsA400) {
  TestClient client(routes_of_values());
  for (const char* query : {"?q=%", "?q=%zz", "?q=%ff", "?%C3=1", "?q=%00"}) {
    const auto response = client.get("/needed" + std::string(query));
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_NE(response.body.find("the query has a malformed escape, or is not UTF-8"), std::string::npos);
  }
}

TEST(Query, AThousandValuesOfOneNameAreReadAndMoreRefused) {
  TestClient client(routes_of_values(), {.server = {.limits = {.request_line_bytes_max = 100'000}}});
  std::string query = "?n=1";
  for (int i = 1; i < 1000; ++i) query += "&n=1";
  EXPECT_EQ(client.get("/many" + query).body, "1000");
  EXPECT_EQ(client.get("/many" + query + "&n=1").status, 400);
}

}  // namespace
}  // namespace atlas::url_text_test
