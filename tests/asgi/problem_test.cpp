// Problem details (RFC 9457), and errors that become them.
#include <atlas/asgi/toolkit/problem.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace atlas::problem_test {
namespace {

using namespace asgi;

TEST(Problem, HasTheMembersThatWereGivenAndTheStatusPhraseAsItsTitle) {
  const auto response =
      problem({.status = 403, .type = "https://a.example/no-credit", .detail = "30 of \"50\""});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.headers.view().find("content-type"), "application/problem+json");
  EXPECT_EQ(
      response.body_text(),
      R"({"type":"https://a.example/no-credit","title":"Forbidden","status":403,"detail":"30 of \"50\""})");
}

TEST(Problem, WhatIsNotUtf8IsRepaired) {
  EXPECT_EQ(problem({.status = 400, .detail = "a\xff"}).body_text(),
            "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"a\xef\xbf\xbd\"}");
}

TEST(Problem, IsNotKeptByCaches) { EXPECT_EQ(problem({}).headers.view().find("cache-control"), "no-store"); }

TEST(Problem, AnErrorBringsItsHeaders) {
  const auto response = error_response(HttpError(429, "slow down", {{"retry-after", "3"}}));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.view().find("retry-after"), "3");
  EXPECT_EQ(response.body_text(), R"({"title":"Too Many Requests","status":429,"detail":"slow down"})");
}

TEST(Problem, AValidationErrorNamesEachField) {
  const auto response = error_response(
      ValidationError(std::vector<FieldError>{{"query.page", "is missing"}, {"body.a", "is not text"}}));
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(
      response.body_text(),
      R"({"title":"Unprocessable Content","status":422,"detail":"query.page is missing; body.a is not text",)"
      R"("errors":[{"field":"query.page","message":"is missing"},{"field":"body.a","message":"is not text"}]})");
}

TEST(HttpError, ItsTextNamesStatusAndDetail) {
  EXPECT_STREQ(HttpError(404).what(), "404 Not Found");
  EXPECT_STREQ(HttpError(404, "no such user").what(), "404 Not Found: no such user");
}

}  // namespace
}  // namespace atlas::problem_test
