// The PROXY protocol: both versions, whole, byte by byte, and malformed in each way.
#include <atlas/core/proxy_header.hpp>

#include <atlas/core/memory_stream.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace atlas::proxy_header_test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string block(char command, char family, const std::string& addresses) {
  const auto size = addresses.size();
  return signature + command + family + static_cast<char>(size >> 8) + static_cast<char>(size & 0xff) +
         addresses;
}

const std::string ipv4_addresses = "\xcb\x00\x71\x09\xc0\x00\x02\x01\x1f\x90\x01\xbb"s;
const std::string ipv4_block = block('\x21', '\x11', ipv4_addresses);

std::string text_of(const Result<ProxyHeader>& header) {
  if (!header) return header.error().message();
  if (!header->connection) return "itself";
  return header->connection->client.to_string() + " to " + header->connection->server.to_string();
}

constexpr std::string_view malformed = "Protocol error";

TEST(ProxyHeader, ALineNamesClientAndServer) {
  EXPECT_EQ(text_of(parse_proxy_line("PROXY TCP4 203.0.113.9 192.0.2.1 8080 443\r\n")),
            "203.0.113.9:8080 to 192.0.2.1:443");
  EXPECT_EQ(text_of(parse_proxy_line("PROXY TCP6 2001:db8::9 2001:db8::1 65535 0\r\n")),
            "[2001:db8::9]:65535 to [2001:db8::1]:0");
}

TEST(ProxyHeader, AnUnknownConnectionIsTheProxysOwn) {
  EXPECT_EQ(text_of(parse_proxy_line("PROXY UNKNOWN\r\n")), "itself");
  EXPECT_EQ(text_of(parse_proxy_line("PROXY UNKNOWN ffff:: what ever\r\n")), "itself");
}

TEST(ProxyHeader, AMalformedLineIsRefused) {
  for (const std::string_view line :
       {"PROXY\r\n", "PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP4 203.0.113.9 192.0.2.1 8080\r\n",
        "PROXY TCP4 203.0.113.9 192.0.2.1 8080 443 1\r\n", "PROXY TCP4 203.0.113.9 192.0.2.1 8080 65536\r\n",
        "PROXY TCP4 203.0.113.9 192.0.2.1 8080 0443\r\n", "PROXY TCP4 203.0.113.9 192.0.2.1 8080 -1\r\n",
        "PROXY TCP4 203.0.113.9  192.0.2.1 8080 443\r\n", "PROXY TCP4 203.0.113.9 192.0.2.1 8080 443 \r\n",
        "PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n", "PROXY TCP6 203.0.113.9 192.0.2.1 1 2\r\n",
        "PROXY TCP4 a b 1 2\r\n", "PROXY UDP4 203.0.113.9 192.0.2.1 1 2\r\n", "proxy UNKNOWN\r\n",
        "PROXY TCP4 203.0.113.9 192.0.2.1 8080 443\n", ""}) {
    EXPECT_EQ(text_of(parse_proxy_line(line)), malformed) << line;
  }
}

TEST(ProxyHeader, ABlockNamesClientAndServer) {
  EXPECT_EQ(text_of(parse_proxy_block(ipv4_block)), "203.0.113.9:8080 to 192.0.2.1:443");
  const auto client = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x09"s;
  const auto server = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s;
  EXPECT_EQ(text_of(parse_proxy_block(block('\x21', '\x21', client + server + "\x00\x07\x00\x50"s))),
            "[2001:db8::9]:7 to [2001:db8::1]:80");
}

TEST(ProxyHeader, ExtensionsOfABlockAreIgnored) {
  EXPECT_EQ(text_of(parse_proxy_block(block('\x21', '\x11', ipv4_addresses + "\x04\x00\x01\x00"s))),
            "203.0.113.9:8080 to 192.0.2.1:443");
}

TEST(ProxyHeader, ABlockOfAnotherFamilyIsTheProxysOwn) {
  EXPECT_EQ(text_of(parse_proxy_block(block('\x20', '\x00', ""))), "itself");
  EXPECT_EQ(text_of(parse_proxy_block(block('\x20', '\x11', ipv4_addresses))), "itself");
  EXPECT_EQ(text_of(parse_proxy_block(block('\x21', '\x00', ""))), "itself");
  EXPECT_EQ(text_of(parse_proxy_block(block('\x21', '\x31', std::string(216, '\0')))), "itself");
}

TEST(ProxyHeader, AMalformedBlockIsRefused) {
  EXPECT_EQ(text_of(parse_proxy_block(block('\x11', '\x11', ipv4_addresses))), malformed);  // version 1
  EXPECT_EQ(text_of(parse_proxy_block(block('\x22', '\x11', ipv4_addresses))), malformed);  // no such command
  EXPECT_EQ(text_of(parse_proxy_block(block('\x21', '\x11', ipv4_addresses.substr(1)))), malformed);
  EXPECT_EQ(text_of(parse_proxy_block(block('\x21', '\x21', ipv4_addresses))), malformed);
  EXPECT_EQ(text_of(parse_proxy_block(ipv4_block.substr(0, ipv4_block.size() - 1))), malformed);
  EXPECT_EQ(text_of(parse_proxy_block(signature)), malformed);
}

/// Reads the header at the front of `bytes`, which come so many at a time; what is left goes to `rest`.
std::string read(std::string_view bytes, std::size_t at_once, std::string& rest) {
  testing::TestLoop loop;
  auto [stream, peer] = testing::make_memory_stream(loop.scheduler(), {.delivery_bytes_max = at_once});
  std::string text;
  loop.run([&, &stream = stream, &peer = peer] {
    peer.send(bytes);
    peer.shutdown_write();
    text = text_of(read_proxy_header(*stream, Deadline::after(1s)));
    for (;;) {
      auto chunk = stream->read_chunk();
      if (!chunk || chunk->empty()) break;
      rest.append(chunk->bytes().begin(), chunk->bytes().end());
    }
  });
  return text;
}

TEST(ProxyHeader, WhatFollowsIsLeftForTheReader) {
  for (const auto& header : {"PROXY TCP4 203.0.113.9 192.0.2.1 8080 443\r\n"s, ipv4_block}) {
    for (const std::size_t at_once : {1U, 5U, 1000U}) {
      std::string rest;
      EXPECT_EQ(read(header + "GET /", at_once, rest), "203.0.113.9:8080 to 192.0.2.1:443");
      EXPECT_EQ(rest, "GET /");
    }
  }
}

TEST(ProxyHeader, AnEndWithinItIsAnError) {
  for (const auto& header : {"PROXY UNKNOWN\r\n"s, ipv4_block}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      std::string rest;
      EXPECT_EQ(read(header.substr(0, size), 1000, rest), "Connection reset by peer") << size;
    }
  }
}

TEST(ProxyHeader, WhatBeginsOtherwiseIsRefusedAtOnce) {
  for (const auto& bytes :
       {"GET / HTTP/1.1\r\n"s, "PRAY\r\n"s, "POST / HTTP/1.1\r\n"s, "\r\n\r\n\0\r\nQUIT\r1234"s}) {
    std::string rest;
    EXPECT_EQ(read(bytes, 1000, rest), malformed) << bytes;
  }
}

TEST(ProxyHeader, LengthsAreBounded) {
  std::string rest;
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", 1000, rest), "itself");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", 1000, rest), malformed);
  const auto longest = proxy_header_bytes_max - 16;
  EXPECT_EQ(read(block('\x20', '\x00', std::string(longest, 'x')), 1000, rest), "itself");
  EXPECT_EQ(read(block('\x20', '\x00', std::string(longest + 1, 'x')), 1000, rest), malformed);
}

TEST(ProxyHeader, SilenceEndsWithTheDeadline) {
  testing::TestLoop loop;
  auto [stream, peer] = testing::make_memory_stream(loop.scheduler());
  loop.run([&, &stream = stream, &peer = peer] {
    peer.send("PROXY TCP4");
    EXPECT_EQ(text_of(read_proxy_header(*stream, Deadline::after(1s))), "Connection timed out");
  });
}

}  // namespace
}  // namespace atlas::proxy_header_test
