// Networks of addresses: how they are written, and who is in them.
#include <atlas/core/ip_networks.hpp>

#include <gtest/gtest.h>

#include <string_view>

namespace atlas::ip_networks_test {
namespace {

bool contains(std::string_view networks, std::string_view host) {
  return IpNetworks::parse(networks).value().contains(SocketAddress::ip(host, 1).value());
}

TEST(IpNetworks, AnAddressIsANetworkOfOne) {
  EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(contains("::1", "::1"));
  EXPECT_FALSE(contains("::1", "::2"));
}

TEST(IpNetworks, BitsThatDoNotCountMayDiffer) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
}

TEST(IpNetworks, IPv4WithinIPv6IsWhatItMeans) {
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(contains("::ffff:10.1.2.3", "10.1.2.3"));
}

TEST(IpNetworks, EachElementOfAListCounts) {
  EXPECT_TRUE(contains("10.0.0.0/8, ::1", "::1"));
  EXPECT_TRUE(contains("10.0.0.0/8,::1", "10.0.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8,::1", "127.0.0.1"));
}

TEST(IpNetworks, UnixSocketsHaveAName) {
  const auto client = SocketAddress();
  EXPECT_TRUE(IpNetworks::parse("unix")->contains(client));
  EXPECT_FALSE(IpNetworks::parse("0.0.0.0/0,::/0")->contains(client));
  EXPECT_FALSE(contains("unix", "127.0.0.1"));
}

TEST(IpNetworks, AllIsEverybody) {
  EXPECT_TRUE(IpNetworks::parse("all")->contains(SocketAddress()));
  EXPECT_TRUE(contains("all", "203.0.113.9"));
  EXPECT_TRUE(contains("all", "2001:db8::1"));
}

TEST(IpNetworks, NobodyIsInAnEmptyList) {
  EXPECT_TRUE(IpNetworks::parse("")->empty());
  EXPECT_TRUE(IpNetworks::parse(" ")->empty());
  EXPECT_FALSE(contains("", "127.0.0.1"));
  EXPECT_FALSE(IpNetworks::parse("unix")->empty());
}

TEST(IpNetworks, WhatIsNoNetworkIsRefused) {
  for (const std::string_view text :
       {"10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08x", "10.0.0",
        "localhost", ",", "10.0.0.1,", "[::1]", "10.0.0.0/8/8", "any"}) {
    EXPECT_FALSE(IpNetworks::parse(text)) << text;
  }
}

TEST(IpNetworks, AreWrittenAsTheyAreRead) {
  for (const std::string_view text : {"", "all", "unix", "10.0.0.0/8", "10.1.2.3", "::1", "2001:db8::/32",
                                      "0.0.0.0/0", "::/0", "unix,10.0.0.0/8,::1"}) {
    EXPECT_EQ(IpNetworks::parse(text)->to_string(), text);
  }
}

}  // namespace
}  // namespace atlas::ip_networks_test
