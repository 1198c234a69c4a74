// The test client, by applications that do what applications do.
#include <atlas/asgi/testing/test_client.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/offload.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace atlas::test_client_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

void answer(Send& send, std::string_view body, int status = 200, Headers headers = {}) {
  send(HttpResponseStart{.status = status, .headers = std::move(headers)});
  send(HttpResponseBody{.body = body});
}

TEST(TestClient, AResponseHasStatusHeadersAndBody) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    answer(send,
           std::string(scope.method) + " " + std::string(scope.path) + " " + std::string(scope.query_string),
           201, {{"x-a", "1"}, {"x-a", "2"}});
  });
  const auto response = client.put("/caf%C3%A9?q=1");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "PUT /caf\xc3\xa9 q=1");
  EXPECT_EQ(response.header("X-A"), "1");
  EXPECT_EQ(response.count("x-a"), 2U);
  EXPECT_EQ(response.header("x-b"), std::nullopt);
  EXPECT_TRUE(response.complete);
}

TEST(TestClient, TheApplicationGetsHeadersBodyAndAddresses) {
  TestClient client([](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    const auto message = receive();
    answer(send, std::string(scope.headers.find("x-key").value_or("")) + " " +
                     std::string(scope.client->host) + " " + std::string(*scope.headers.find("host")) + " " +
                     std::string(std::get<HttpRequest>(message).body));
  });
  EXPECT_EQ(client.post("/", {.headers = {{"x-key", "7"}}, .body = "hello"}).body,
            "7 192.0.2.1 testserver hello");
}

TEST(TestClient, LifespanRunsForProcessAndWorker) {
  std::vector<std::string> events;
  {
    TestClient client([&](const Scope& scope, Receive& receive, Send& send) {
      if (scope.type == ScopeType::http) return answer(send, scope.state.get<std::string>("who"));
      const auto who = std::to_string(scope.extensions.atlas.worker);
      static_cast<void>(receive());
      events.push_back("start " + who);
      if (scope.extensions.atlas.worker == -1) scope.state.set("who", std::string("the process"));
      send(LifespanStartupComplete{});
      static_cast<void>(receive());
      events.push_back("stop " + who);
      send(LifespanShutdownComplete{});
    });
    EXPECT_EQ(client.get("/").body, "the process");
  }
  EXPECT_EQ(events, (std::vector<std::string>{"start -1", "start 0", "stop 0", "stop -1"}));
}

TEST(TestClient, AStartThatFailsSaysWhy) {
  const auto app = [](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(receive());
    send(LifespanStartupFailed{.message = "no database"});
  };
  try {
    TestClient client(app);
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the application could not start: lifespan.startup.failed: no database");
  }
}

TEST(TestClient, AShutdownThatFailsSaysWhy) {
  TestClient client([](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(receive());
    send(LifespanStartupComplete{});
    static_cast<void>(receive());
    send(LifespanShutdownFailed{.message = "not saved"});
  });
  EXPECT_THROW(client.close(), std::runtime_error);
}

void throwing(const Scope& scope, Receive&, Send&) {
  if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
  throw std::domain_error("broken");
}

TEST(TestClient, WhatTheApplicationThrowsComesOut) {
  TestClient client(throwing);
  EXPECT_THROW(static_cast<void>(client.get("/")), std::domain_error);
  EXPECT_THROW(static_cast<void>(client.get("/")), std::domain_error);
}

TEST(TestClient, WhatTheApplicationThrowsIsA500WhereThatIsWanted) {
  TestClient client(throwing, {.raise_errors = false});
  EXPECT_EQ(client.get("/").status, 500);
}

TEST(TestClient, TimePassesAtOnce) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    static_cast<void>(this_fiber::sleep_for(24h));
    answer(send, "good morning");
  });
  const auto begun = client.now();
  EXPECT_EQ(client.get("/").body, "good morning");
  EXPECT_EQ(client.now() - begun, 24h);
}

TEST(TestClient, TimeWaitsForFilesAndOffload) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    auto file = File::open("/proc/self/cmdline").value();
    char first = 0;
    static_cast<void>(file.read_some({&first, 1}).value());
    const DeadlineScope in_time(Deadline::after(1ms));
    const auto computed = offload([] {
      std::this_thread::sleep_for(20ms);  // of the real clock, on another thread
      return 42;
    });
    answer(send, std::to_string(computed.value()));
  });
  const auto begun = client.now();
  EXPECT_EQ(client.get("/").body, "42");
  EXPECT_EQ(client.now(), begun);
}

TEST(TestClient, AnApplicationThatWaitsForEverIsNamed) {
  TestClient client([](const Scope& scope, Receive& receive, Send&) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    static_cast<void>(receive());
    static_cast<void>(receive());
  });
  try {
    static_cast<void>(client.get("/"));
    FAIL() << "it answered";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("'client' waits for 'disconnect'"), std::string::npos)
        << error.what();
  }
}

void echo(const Scope& scope, Receive& receive, Send& send) {
  if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
  send(HttpResponseStart{});
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<HttpRequest>(&message);
    if (piece == nullptr) return;
    more = piece->more_body;
    send(HttpResponseBody{.body = piece->body, .more_body = more});
  }
}

TEST(TestClient, BothDirectionsStream) {
  TestClient client(echo);
  auto exchange = client.open("POST", "/", {.headers = {{"content-type", "text/plain"}}}, true);
  exchange.send("one");
  EXPECT_EQ(exchange.start().status, 200);
  EXPECT_EQ(exchange.read(), "one");
  EXPECT_EQ(exchange.read_available(), "");
  exchange.send("two");
  EXPECT_EQ(exchange.read_available(), "two");
  exchange.send_last("three");
  const auto response = exchange.finish();
  EXPECT_EQ(response.body, "three");
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(exchange.read(), std::nullopt);
}

TEST(TestClient, AClientMayLeaveInTheMiddle) {
  bool heard = false;
  TestClient client([&](const Scope& scope, Receive& receive, Send&) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    static_cast<void>(receive());
    heard = std::holds_alternative<HttpDisconnect>(receive());
  });
  auto exchange = client.open("POST", "/", {}, true);
  exchange.send("one");
  exchange.disconnect();
  EXPECT_TRUE(heard);
}

TEST(TestClient, AResponseThatIsCutIsNotComplete) {
  TestClient client(
      [](const Scope& scope, Receive&, Send& send) {
        if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
        send(HttpResponseStart{.headers = {{"content-length", "9"}}});
        send(HttpResponseBody{.body = "half", .more_body = true});
        throw std::runtime_error("no more");
      },
      {.raise_errors = false});
  const auto response = client.get("/");
  EXPECT_EQ(response.body, "half");
  EXPECT_FALSE(response.complete);
}

TEST(TestClient, HintsTrailersAndDebugAreKept) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    EXPECT_TRUE(scope.extensions.contains("http.response.debug"));
    send(HttpResponseEarlyHint{.links = {"</a.css>; rel=preload"}});
    send(OpenMessage{.type = "http.response.debug", .values = {{"template", std::string("a.html")}}});
    send(HttpResponseStart{.trailers = true});
    send(HttpResponseBody{.body = "x"});
    send(HttpResponseTrailers{.headers = {{"x-sum", "7"}}});
  });
  const auto response = client.get("/", {.headers = {{"te", "trailers"}}});
  EXPECT_EQ(response.early_hints, std::vector<std::string>{"</a.css>; rel=preload"});
  EXPECT_EQ(response.trailers, (std::vector<std::pair<std::string, std::string>>{{"x-sum", "7"}}));
  ASSERT_EQ(response.debug.size(), 1U);
  EXPECT_EQ(std::get<std::string>(response.debug[0].values.at("template")), "a.html");
}

TEST(TestClient, CookiesAreKeptAndForgotten) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    const auto cookie = scope.headers.find("cookie").value_or("none");
    if (scope.path == "/in") return answer(send, cookie, 200, {{"set-cookie", "user=ada; path=/; httponly"}});
    if (scope.path == "/out") return answer(send, cookie, 200, {{"set-cookie", "user=; Max-Age=0"}});
    answer(send, cookie);
  });
  EXPECT_EQ(client.get("/").body, "none");
  static_cast<void>(client.get("/in"));
  EXPECT_EQ(client.get("/").body, "user=ada");
  static_cast<void>(client.get("/out"));
  EXPECT_EQ(client.get("/").body, "none");
  client.cookies().emplace_back("theme", "dark");
  EXPECT_EQ(client.get("/").body, "theme=dark");
}

TEST(TestClient, RedirectsAreFollowedWhereThatIsWanted) {
  const auto app = [](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    if (scope.path == "/a") return answer(send, "", 303, {{"location", "http://testserver/b?x=1#y"}});
    if (scope.path == "/round") return answer(send, "", 307, {{"location", "/round"}});
    answer(send,
           std::string(scope.method) + " " + std::string(scope.path) + "?" + std::string(scope.query_string));
  };
  TestClient still(app);
  EXPECT_EQ(still.post("/a").status, 303);
  TestClient client(app, {.follow_redirects = true, .redirects_max = 3});
  EXPECT_EQ(client.post("/a", {.body = "x"}).body, "GET /b?x=1");
  EXPECT_THROW(static_cast<void>(client.get("/round")), std::runtime_error);
}

TEST(TestClient, AHeadResponseHasNoBody) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    answer(send, "hello");
  });
  const auto response = client.head("/");
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.header("content-length"), "5");
}

TEST(TestClient, ABrokenContractComesOut) {
  TestClient client([](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    send(HttpResponseBody{.body = "too early"});
  });
  EXPECT_THROW(static_cast<void>(client.get("/")), ContractError);
}

TEST(TestClient, CodeRunsOnTheApplicationsLoop) {
  TestClient client([](const Scope& scope, Receive&, Send&) { throw UnsupportedScope(scope); });
  bool slept = false;
  client.run([&] { slept = this_fiber::sleep_for(1h).has_value(); });
  EXPECT_TRUE(slept);
  EXPECT_THROW(client.run([] { throw std::domain_error("out"); }), std::domain_error);
}

}  // namespace
}  // namespace atlas::test_client_test
