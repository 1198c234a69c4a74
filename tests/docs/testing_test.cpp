// The examples of docs/testing.md.
#include <atlas/asgi/conformance/application_check.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/core/fiber.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <variant>

namespace atlas::testing_page {
namespace {

struct Sale {
  int pieces = 0;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("pieces", self.pieces, asgi::between(1, 100));
  }
};

void echo(const asgi::Scope&, asgi::Receive& receive, asgi::Send& send) {
  send(asgi::HttpResponseStart{});
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<asgi::HttpRequest>(&message);
    if (piece == nullptr) return;
    more = piece->more_body;
    send(asgi::HttpResponseBody{.body = piece->body, .more_body = more});
  }
}

asgi::Router make_shop() {
  asgi::Router routes;
  routes.per_worker<int>([] { return 0; });
  routes.get("/sold", [](asgi::Request& request) { return std::to_string(request.get<int>()); });
  routes.post("/sold", [](asgi::Request& request) {
    request.get<int>() += request.json<Sale>().pieces;
    return asgi::text("", 201).with("location", "/sold");
  });
  routes.get("/wait-for-morning", [] {
    this_fiber::sleep_for(std::chrono::hours(8)).value();
    return "good morning";
  });
  routes.application({"POST"}, "/echo", echo);
  return routes;
}

TEST(Shop, CountsWhatIsSold) {
  asgi::TestClient client(make_shop());
  EXPECT_EQ(client.get("/sold").body, "0");
  const auto sold =
      client.post("/sold", {.headers = {{"content-type", "application/json"}}, .body = R"({"pieces":2})"});
  EXPECT_EQ(sold.status, 201);
  EXPECT_EQ(sold.header("location"), "/sold");
  EXPECT_EQ(client.get("/sold").body, "2");
}

TEST(Shop, ClosesAtNight) {
  asgi::TestClient client(make_shop());
  const auto begun = client.now();
  EXPECT_EQ(client.get("/wait-for-morning").body, "good morning");  // sleeps for eight hours
  EXPECT_EQ(client.now() - begun, std::chrono::hours(8));
  client.advance(std::chrono::hours(1));
}

TEST(Shop, AnswersWhileItIsAsked) {
  asgi::TestClient client(make_shop());
  auto exchange = client.open("POST", "/echo", {}, true);
  exchange.send("one ");
  EXPECT_EQ(exchange.start().status, 200);
  EXPECT_EQ(exchange.read(), "one ");
  exchange.send_last("two");
  EXPECT_EQ(exchange.finish().body, "two");
}

TEST(Shop, MindsThatAClientLeaves) {
  asgi::TestClient client(make_shop());
  auto exchange = client.open("POST", "/echo", {}, true);
  exchange.send("one");
  exchange.disconnect();
  EXPECT_EQ(client.get("/sold").status, 200);
}

TEST(Shop, KeepsTheContract) {
  const auto report = asgi::check_application(make_shop());
  EXPECT_TRUE(report.conforms()) << report.to_text();
}

}  // namespace
}  // namespace atlas::testing_page
