// The example of docs/simulation.md: pages_test.cpp sees to it that the page shows it as it is here.
#include <atlas/asgi/server.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/tcp_stream.hpp>
#include "support/captured_log.hpp"
#include "support/simulated_world.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;

void hello(const asgi::Scope& scope, asgi::Receive&, asgi::Send& send) {
  if (scope.type != asgi::ScopeType::http) throw asgi::UnsupportedScope(scope);
  send(asgi::HttpResponseStart{.status = 200});
  send(asgi::HttpResponseBody{.body = "hello\n"});
}

// A client that stays away for an hour finds its connection closed: in no time at all.
std::string ask_and_stay_away() {
  std::string heard;
  testing::SimulatedWorld world({.seed = 7});
  world.run([&] {
    asgi::Server server(hello, {.host = "10.0.0.1", .port = 80, .workers = 2, .stall_threshold = 0s});
    server.start();
    auto client = TcpStream::connect("10.0.0.1", 80).value();
    client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").value();
    heard = *client.read_line().value();
    this_fiber::sleep_for(1h).value();
    heard += client.stream().input_ended() ? ", then the end" : ", and is still there";
  });
  return heard;
}

TEST(SimulationPage, AnHourPasses) {
  const testing::CapturedLog log;
  EXPECT_EQ(ask_and_stay_away(), "HTTP/1.1 200 OK, then the end");
}

}  // namespace
}  // namespace atlas
