#include <atlas/core/address.hpp>

#include <gtest/gtest.h>

namespace atlas {
namespace {

TEST(SocketAddress, IsWrittenAsItWasRead) {
  for (const auto* text : {"0.0.0.0", "127.0.0.1", "10.20.30.4", "255.255.255.255", "::", "2001:db8::1"}) {
    EXPECT_EQ(SocketAddress::ip(text, 80).value().host(), text);
  }
}

TEST(SocketAddress, ChangesItsPortInACopy) {
  const auto address = SocketAddress::ip("192.0.2.1", 80).value();
  EXPECT_EQ(address.with_port(443).to_string(), "192.0.2.1:443");
  EXPECT_EQ(SocketAddress::ip("2001:db8::1", 0).value().with_port(1).to_string(), "[2001:db8::1]:1");
  EXPECT_EQ(address.port(), 80);
}

TEST(SocketAddress, APathHasNoPort) {
  EXPECT_DEATH(static_cast<void>(SocketAddress::unix_socket("/x").value().with_port(1)),
               "a path has no port");
}

}  // namespace
}  // namespace atlas
