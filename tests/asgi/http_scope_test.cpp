// What an application is told of a request.
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::HttpHarness;
using testing::plain_options;

/// A scope's views do not outlive the call.
struct SeenScope {
  ScopeType type{};
  std::string version, spec_version, http_version, method, scheme, path, raw_path, query_string, root_path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string client = "none";
  std::string server = "none";
};

std::string text_of(const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return "none";
  return std::string(endpoint->host) + (endpoint->port ? " " + std::to_string(*endpoint->port) : "");
}

SeenScope copy_of(const Scope& scope) {
  SeenScope seen{.type = scope.type,
                 .version = std::string(scope.asgi.version),
                 .spec_version = std::string(scope.asgi.spec_version),
                 .http_version = std::string(scope.http_version),
                 .method = std::string(scope.method),
                 .scheme = std::string(scope.scheme),
                 .path = std::string(scope.path),
                 .raw_path = std::string(scope.raw_path),
                 .query_string = std::string(scope.query_string),
                 .root_path = std::string(scope.root_path),
                 .client = text_of(scope.client),
                 .server = text_of(scope.server)};
  for (const auto& field : scope.headers) seen.headers.emplace_back(field.name, field.value);
  return seen;
}

SeenScope scope_of(std::string_view request, const ServerOptions& options = plain_options()) {
  SeenScope seen;
  HttpHarness harness(
      [&](const Scope& scope, Receive&, Send& send) {
        seen = copy_of(scope);
        answer(send, "");
      },
      options);
  harness.send(request);
  return seen;
}

TEST(HttpScope, TellsTypeAndVersions) {
  const auto scope = scope_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(scope.type, ScopeType::http);
  EXPECT_EQ(scope.version, "3.0");
  EXPECT_EQ(scope.spec_version, "2.5");
  EXPECT_EQ(scope.http_version, "1.1");
  EXPECT_EQ(scope.scheme, "http");
}

TEST(HttpScope, NamesAnOldVersion) { EXPECT_EQ(scope_of("GET / HTTP/1.0\r\n\r\n").http_version, "1.0"); }

TEST(HttpScope, TakesTheTargetApart) {
  const auto scope = scope_of("PATCH /a/b?c=d&e=%20 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(scope.method, "PATCH");
  EXPECT_EQ(scope.path, "/a/b");
  EXPECT_EQ(scope.raw_path, "/a/b");
  EXPECT_EQ(scope.query_string, "c=d&e=%20");
}

TEST(HttpScope, TakesAnAbsoluteTargetApart) {
  const auto scope = scope_of("GET http://example.com/a?b HTTP/1.1\r\nHost: example.com\r\n\r\n");
  EXPECT_EQ(scope.path, "/a");
  EXPECT_EQ(scope.query_string, "b");
}

TEST(HttpScope, DecodesThePathAndKeepsTheRawOne) {
  const auto scope = scope_of("GET /gr%C3%BC%C3%9Fe%2Fa+b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(scope.path, "/grüße/a+b");
  EXPECT_EQ(scope.raw_path, "/gr%C3%BC%C3%9Fe%2Fa+b");
}

TEST(HttpScope, PathIncludesTheRootPath) {
  auto options = plain_options();
  options.root_path = "/mounted";
  const auto scope = scope_of("GET /a%20b HTTP/1.1\r\nHost: h\r\n\r\n", options);
  EXPECT_EQ(scope.root_path, "/mounted");
  EXPECT_EQ(scope.path, "/mounted/a b");
  EXPECT_EQ(scope.raw_path, "/a%20b");
}

TEST(HttpScope, TheAsteriskIsBelowNoRootPath) {
  auto options = plain_options();
  options.root_path = "/mounted";
  options.options_asterisk = AnsweredBy::application;
  EXPECT_EQ(scope_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", options).path, "*");
}

TEST(HttpScope, HeadersAreLowerCasedInOrderWithDuplicates) {
  const auto scope = scope_of("GET / HTTP/1.1\r\nX-B: 1\r\nHOST: h\r\nx-b:  2 \r\nX-A:\r\n\r\n");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"x-b", "1"}, {"host", "h"}, {"x-b", "2"}, {"x-a", ""}};
  EXPECT_EQ(scope.headers, expected);
}

TEST(HttpScope, TellsBothEndsOfTheConnection) {
  const auto scope = scope_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(scope.client, "192.0.2.1 4000");
  EXPECT_EQ(scope.server, "192.0.2.80 80");
}

TEST(HttpScope, ClientOfAUnixSocketIsNobodyAndServerIsAPath) {
  SeenScope seen;
  HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    seen = copy_of(scope);
    answer(send, "");
  });
  auto client = harness.connect({}, {.server_host = "/run/atlas.sock"});
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  harness.run();
  EXPECT_EQ(seen.client, "none");
  EXPECT_EQ(seen.server, "/run/atlas.sock");
}

TEST(HttpScope, NamesItsExtensions) {
  HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    for (const auto* name :
         {"http.response.trailers", "http.response.early_hint", "http.response.push", "atlas"}) {
      EXPECT_TRUE(scope.extensions.contains(name)) << name;
    }
    EXPECT_FALSE(scope.extensions.contains("tls"));
    EXPECT_EQ(scope.extensions.atlas.worker, 3);
    answer(send, "");
  });
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(HttpScope, ConnectionsHaveNumbersOfTheirOwn) {
  std::vector<std::uint64_t> ids;
  HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    ids.push_back(scope.extensions.atlas.connection_id);
    answer(send, "");
  });
  auto first = harness.connect();
  auto second = harness.connect();
  for (auto* client : {&first, &second, &first}) {
    client->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    harness.run();
  }
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{1, 2, 1}));
}

TEST(HttpScope, StateIsLifespansForEachRequestAnew) {
  State state;
  state.set("greeting", std::string("hello"));
  HttpHarness harness(
      [](const Scope& scope, Receive&, Send& send) {
        const auto greeting = scope.state.get<std::string>("greeting");
        scope.state.set("greeting", std::string("changed"));
        answer(send, greeting);
      },
      plain_options(), state);
  for (int i = 0; i < 2; ++i) {
    harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(harness.take(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
  }
}

TEST(HttpScope, WhatARequestPutsIntoItsStateGoesWithIt) {
  const auto resource = std::make_shared<int>();
  HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    scope.state.set("resource", resource);
    answer(send, "");
  });
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(resource.use_count(), 1);
}

}  // namespace
}  // namespace atlas::asgi
