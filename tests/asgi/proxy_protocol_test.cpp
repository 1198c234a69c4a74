// Connections that a proxy introduces: whose they are, and what becomes of those that nobody introduces.
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::proxy_protocol_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

void tell_addresses(const Scope& scope, Receive&, Send& send) {
  testing::answer(send, std::string(scope.client->host) + ":" + std::to_string(*scope.client->port) + " to " +
                            std::string(scope.server->host) + ":" + std::to_string(*scope.server->port));
}

ServerOptions behind(std::string_view networks) {
  auto options = testing::plain_options();
  options.proxy_protocol_from = IpNetworks::parse(networks).value();
  return options;
}

constexpr std::string_view introduction = "PROXY TCP4 203.0.113.9 198.51.100.1 8080 443\r\n";
constexpr std::string_view request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

std::string response(std::string_view body) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(ProxyProtocol, TheClientIsWhomTheProxyNames) {
  testing::HttpHarness harness(tell_addresses, behind("192.0.2.0/24"));
  harness.send(std::string(introduction) + std::string(request));
  EXPECT_EQ(harness.take(), response("203.0.113.9:8080 to 198.51.100.1:443"));
  harness.send(request);
  EXPECT_EQ(harness.take(), response("203.0.113.9:8080 to 198.51.100.1:443"));
}

TEST(ProxyProtocol, TheRequestMayComeLater) {
  testing::HttpHarness harness(tell_addresses, behind("all"));
  for (const char byte : introduction) harness.send({&byte, 1});
  EXPECT_EQ(harness.received(), "");
  harness.send(request);
  EXPECT_EQ(harness.take(), response("203.0.113.9:8080 to 198.51.100.1:443"));
}

TEST(ProxyProtocol, AProxySpeaksForItself) {
  testing::HttpHarness harness(tell_addresses, behind("all"));
  harness.send("PROXY UNKNOWN\r\n" + std::string(request));
  EXPECT_EQ(harness.take(), response("192.0.2.1:4000 to 192.0.2.80:80"));
}

TEST(ProxyProtocol, OthersAreServedWithoutIt) {
  testing::HttpHarness harness(tell_addresses, behind("10.0.0.0/8"));
  harness.send(request);
  EXPECT_EQ(harness.take(), response("192.0.2.1:4000 to 192.0.2.80:80"));
}

TEST(ProxyProtocol, FromOthersItIsAMalformedRequest) {
  testing::HttpHarness harness(tell_addresses, behind("10.0.0.0/8"));
  harness.send(std::string(introduction) + std::string(request));
  EXPECT_TRUE(harness.received().starts_with("HTTP/1.1 400 Bad Request\r\n")) << harness.received();
}

TEST(ProxyProtocol, AConnectionWithoutItIsClosedWithoutAnAnswer) {
  testing::HttpHarness harness(tell_addresses, behind("all"));
  harness.send(request);
  EXPECT_EQ(harness.received(), "");
  EXPECT_TRUE(harness.client().closed());
  EXPECT_EQ(harness.connections_open(), 0U);
}

TEST(ProxyProtocol, ASilentProxyIsClosedInTime) {
  auto options = behind("all");
  options.timeouts.header = 5s;
  testing::HttpHarness harness(tell_addresses, options);
  harness.send("PROXY TCP4");
  harness.advance(4s);
  EXPECT_FALSE(harness.client().closed());
  harness.advance(2s);
  EXPECT_TRUE(harness.client().closed());
}

TEST(ProxyProtocol, LimitsPerAddressCountTheClient) {
  auto options = behind("all");
  options.connection_limits.connections_per_address_max = 2;
  testing::HttpHarness harness(tell_addresses, options);
  const auto introduce = [&](std::string_view host) {
    auto peer = harness.connect();
    peer.send("PROXY TCP4 " + std::string(host) + " 198.51.100.1 8080 443\r\n");
    harness.run();
    return peer;
  };
  const auto first = introduce("203.0.113.9");
  const auto second = introduce("203.0.113.9");
  const auto third = introduce("203.0.113.9");
  const auto other = introduce("203.0.113.10");
  EXPECT_FALSE(first.closed() || second.closed() || other.closed());
  EXPECT_TRUE(third.received().starts_with("HTTP/1.1 503 ")) << third.received();
  EXPECT_EQ(harness.connections_open(), 3U);
}

TEST(ProxyProtocol, ADrainEndsThoseThatAreNotIntroducedYet) {
  testing::HttpHarness harness(tell_addresses, behind("all"));
  harness.send("PROXY");
  harness.drain(1s);
  harness.advance(2s);
  EXPECT_TRUE(harness.drained().has_value());
  EXPECT_EQ(harness.connections_open(), 0U);
}

}  // namespace
}  // namespace atlas::proxy_protocol_test
