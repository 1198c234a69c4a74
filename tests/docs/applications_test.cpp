// The examples of docs/applications.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/asgi/plugin.hpp>
#include <atlas/asgi/server.hpp>
#include "support/blocking_client.hpp"
#include "support/http_harness.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace atlas {
namespace {

using testing::BlockingClient;
using ::testing::HasSubstr;
using testing::HttpHarness;

using Prices = std::map<std::string, std::string, std::less<>>;

int times_loaded = 0;

Prices load_prices() {
  ++times_loaded;
  return {{"/book", "12.50\n"}};
}

void echo(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  if (scope.type != asgi::ScopeType::http) throw asgi::UnsupportedScope(scope);
  send(asgi::HttpResponseStart{.status = 200, .headers = {{"content-type", "application/octet-stream"}}});
  for (;;) {
    const auto message = receive();  // suspends until a piece has come
    const auto* request = std::get_if<asgi::HttpRequest>(&message);
    if (request == nullptr) return;  // http.disconnect
    send(asgi::HttpResponseBody{.body = request->body, .more_body = request->more_body});
    if (!request->more_body) return;
  }
}

void shop_lifespan(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  receive();                                  // lifespan.startup
  if (scope.extensions.atlas.worker == -1) {  // the process's: workers and requests find what it sets
    scope.state.set("prices", std::make_shared<const Prices>(load_prices()));
  }
  send(asgi::LifespanStartupComplete{});
  receive();  // lifespan.shutdown, when the server stops
  send(asgi::LifespanShutdownComplete{});
}

void shop(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  if (scope.type == asgi::ScopeType::lifespan) return shop_lifespan(scope, receive, send);
  const auto prices = scope.state.get<std::shared_ptr<const Prices>>("prices");
  const auto price = prices->find(scope.path);
  const bool found = price != prices->end();
  send(asgi::HttpResponseStart{.status = found ? 200 : 404, .headers = {{"content-type", "text/plain"}}});
  send(asgi::HttpResponseBody{.body = found ? price->second : "no such thing\n"});
}

// Adds a header to every response of another application.
class Unframed {
 public:
  explicit Unframed(asgi::Application inner) : inner_(std::move(inner)) {}

  void operator()(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) const {
    AddHeader adding(send);
    inner_(scope, receive, adding);
  }

 private:
  class AddHeader final : public asgi::Send {
   public:
    explicit AddHeader(asgi::Send& outer) : outer_(outer) {}

   private:
    void handle(asgi::MessageRef message) override {
      const auto* start = message.get_if<asgi::HttpResponseStart>();
      if (start == nullptr) return outer_(message);
      auto changed = *start;
      changed.headers.add("x-frame-options", "DENY");
      outer_(changed);
    }

    asgi::Send& outer_;
  };

  asgi::Application inner_;
};

void check(std::uint16_t port) {
  EXPECT_EQ(BlockingClient(port).request("POST", "/", {}, "hello").body, "hello");
}

void test_echo() {
  asgi::Server server(echo, {.port = 0, .workers = 1});
  server.start();  // blocks its thread until clients are accepted
  check(server.port());
  server.stop();
}

}  // namespace
}  // namespace atlas

using namespace atlas;
ATLAS_APPLICATION(echo);

namespace atlas {
namespace {

TEST(ApplicationsPage, AnEchoSendsBackWhatComes) {
  HttpHarness harness(echo);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(harness.received(),
            "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 5\r\n\r\nhello");
}

TEST(ApplicationsPage, AServerIsAnObject) { test_echo(); }

TEST(ApplicationsPage, AnApplicationIsExported) {
  EXPECT_STREQ(atlas_application_echo.version, atlas::version);
  HttpHarness harness(atlas_application_echo.make());
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(harness.received(), HasSubstr("200 OK"));
}

TEST(ApplicationsPage, LifespanSetsUpWhatRequestsFind) {
  asgi::Server server(shop, {.port = 0, .workers = 2}, log::SinkOptions{.target = "/dev/null"});
  server.start();
  EXPECT_EQ(BlockingClient(server.port()).request("GET", "/book").body, "12.50\n");
  EXPECT_EQ(BlockingClient(server.port()).request("GET", "/pen").status, 404);
  server.stop();
  EXPECT_EQ(times_loaded, 1);
}

TEST(ApplicationsPage, MiddlewareWrapsAnApplication) {
  HttpHarness harness{Unframed(echo)};
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(harness.received(), HasSubstr("\r\nx-frame-options: DENY\r\n"));
}

}  // namespace
}  // namespace atlas
