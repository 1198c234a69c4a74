// Compressed responses and requests, and ETags: round trips, and everything that must not be compressed.
#include <atlas/asgi/middleware/coders.hpp>
#include <atlas/asgi/middleware/compression.hpp>
#include <atlas/asgi/middleware/decompression.hpp>
#include <atlas/asgi/middleware/etag.hpp>

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/event_stream.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/core/fiber.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::compression_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

std::string compressed(std::string_view coding, std::string_view text) {
  std::string out;
  if (coding == "deflate") {  // by hand: zlib's format is gzip's with another frame
    static constexpr unsigned char hello[] = {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
                                              0x07, 0x00, 0x06, 0x2c, 0x02, 0x15};
    return {reinterpret_cast<const char*>(hello), sizeof hello};
  }
  make_compressor(coding, 3)->write(text, Flush::end, out);
  return out;
}

std::string decompressed(std::string_view coding, std::string_view bytes, std::size_t at_once = SIZE_MAX) {
  const auto decompressor = make_decompressor(coding);
  std::string out;
  while (!bytes.empty()) {
    auto piece = bytes.substr(0, at_once);
    bytes.remove_prefix(piece.size());
    for (;;) {
      const auto size = out.size();
      const auto left = piece.size();
      decompressor->read(piece, 1000, out);
      if (out.size() == size && piece.size() == left) break;
    }
    if (!piece.empty()) throw BadCoding("bytes were left");
  }
  if (!decompressor->complete()) throw BadCoding("not complete");
  return out;
}

std::string some_text(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i * 7919 % 1000) + " of many\n";
  text.resize(bytes);
  return text;
}

class Coding : public ::testing::TestWithParam<const char*> {};

TEST_P(Coding, WhatIsCompressedIsReadBack) {
  for (const std::size_t size : {0U, 1U, 1000U, 300'000U}) {
    const auto text = some_text(size);
    const auto bytes = compressed(GetParam(), text);
    EXPECT_TRUE(decompressed(GetParam(), bytes) == text) << size;
    EXPECT_TRUE(decompressed(GetParam(), bytes, 100) == text) << size;
    EXPECT_LT(bytes.size(), size / 4 + 100);
  }
}

TEST_P(Coding, ACompressorBeginsAnew) {
  const auto compressor = make_compressor(GetParam(), 1);
  for (int i = 0; i < 3; ++i) {
    std::string out;
    compressor->write("one ", Flush::piece, out);
    EXPECT_FALSE(out.empty()) << "a piece can be read at once";
    compressor->write("two", Flush::end, out);
    EXPECT_EQ(decompressed(GetParam(), out), "one two");
  }
}

TEST_P(Coding, WhatIsMalformedIsRefused) {
  const auto bytes = compressed(GetParam(), some_text(1000));
  EXPECT_THROW(static_cast<void>(decompressed(GetParam(), bytes.substr(0, bytes.size() - 1))), BadCoding);
  EXPECT_THROW(static_cast<void>(decompressed(GetParam(), bytes + "garbage")), BadCoding);
  EXPECT_THROW(static_cast<void>(decompressed(GetParam(), "no coding at all")), BadCoding);
}

INSTANTIATE_TEST_SUITE_P(All, Coding, ::testing::Values("gzip", "br", "zstd"));

TEST(Codings, MembersOfGzipFollowOneAnother) {
  EXPECT_EQ(decompressed("x-gzip", compressed("gzip", "one ") + compressed("gzip", "two")), "one two");
}

TEST(Codings, DeflateIsZlibsFormat) {
  EXPECT_EQ(decompressed("deflate", compressed("deflate", "")), "hello");
}

// ---- responses ----

Router documents() {
  Router routes;
  routes.get("/text",
             [] { return text(some_text(5000)).with("etag", "\"a\"").with("content-length", "5000"); });
  routes.get("/small", [] { return text(std::string(1023, 'x')); });
  routes.get("/enough", [] { return text(std::string(1024, 'x')); });
  routes.get("/image", [] { return content("image/png", some_text(5000)); });
  routes.get("/kept", [] { return text(some_text(5000)).with("cache-control", "public, no-transform"); });
  routes.get("/coded", [] { return text(some_text(5000)).with("content-encoding", "x"); });
  routes.get("/part", [] { return text(some_text(5000), 206); });
  routes.get("/nothing", [] { return no_content(); });
  routes.get("/problem", [] { return content("application/problem+json", some_text(2000), 404); });
  routes.get("/stream", [] {
    return stream("text/plain", [](BodyWriter& body) {
      body.write("one ");
      this_fiber::sleep_for(1s).value();
      body.write("two");
    });
  });
  routes.get("/events", [] { return event_stream([](EventSink& events) { events.send(some_text(5000)); }); });
  return routes;
}

TestResponse ask(TestClient& client, const std::string& path, std::string accept = "gzip, br") {
  return client.get(path, {.headers = {{"accept-encoding", std::move(accept)}}});
}

TEST(Compression, TheCodingThatTheClientWantsMostIsUsed) {
  TestClient client(with_middleware(documents(), {compression()}));
  for (const std::string coding : {"br", "zstd", "gzip"}) {
    const auto response = ask(client, "/text", coding);
    EXPECT_EQ(response.header("content-encoding"), coding);
    EXPECT_EQ(response.header("vary"), "accept-encoding");
    EXPECT_EQ(response.header("etag"), "W/\"a\"");
    EXPECT_EQ(response.header("content-length"), std::to_string(response.body.size()));
    EXPECT_LT(response.body.size(), 2500U);
    EXPECT_TRUE(decompressed(coding, response.body) == some_text(5000));
  }
  EXPECT_EQ(ask(client, "/text", "gzip, br;q=0.5").header("content-encoding"), "gzip");
}

TEST(Compression, AClientThatWantsNoneGetsItPlain) {
  TestClient client(with_middleware(documents(), {compression()}));
  for (const char* accept : {"identity", "gzip;q=0", "deflate"}) {
    const auto response = ask(client, "/text", accept);
    EXPECT_EQ(response.header("content-encoding"), std::nullopt) << accept;
    EXPECT_EQ(response.header("etag"), "\"a\"");
    EXPECT_EQ(response.header("vary"), "accept-encoding");
  }
  EXPECT_TRUE(client.get("/text").body == some_text(5000));
}

TEST(Compression, WhatDoesNotGainByItStaysPlain) {
  TestClient client(with_middleware(documents(), {compression()}));
  for (const char* path : {"/small", "/image", "/kept", "/part", "/nothing", "/events"}) {
    EXPECT_EQ(ask(client, path).header("content-encoding"), std::nullopt) << path;
  }
  EXPECT_EQ(ask(client, "/coded").header("content-encoding"), "x");
  EXPECT_EQ(ask(client, "/enough").header("content-encoding"), "br");
  EXPECT_EQ(ask(client, "/problem").header("content-encoding"), "br");
}

TEST(Compression, PiecesOfAStreamArriveOneByOne) {
  TestClient client(with_middleware(documents(), {compression()}));
  auto exchange = client.open("GET", "/stream", {.headers = {{"accept-encoding", "gzip"}}});
  const auto first = exchange.read_available();
  EXPECT_FALSE(first.empty());
  std::string text;
  auto piece = std::string_view(first);
  make_decompressor("gzip")->read(piece, 1000, text);
  EXPECT_EQ(text, "one ");
  EXPECT_EQ(decompressed("gzip", first + exchange.finish().body), "one two");
}

TEST(Compression, AHeadResponseHasTheHeadersOfGet) {
  TestClient client(with_middleware(documents(), {compression()}));
  const auto get = ask(client, "/text");
  const auto head = client.head("/text", {.headers = {{"accept-encoding", "gzip, br"}}});
  EXPECT_EQ(head.header("content-encoding"), get.header("content-encoding"));
  EXPECT_EQ(head.header("content-length"), get.header("content-length"));
}

TEST(Compression, AClientThatLeavesHarmsNobody) {
  TestClient client(with_middleware(documents(), {compression()}));
  for (int i = 0; i < 3; ++i)
    client.open("GET", "/stream", {.headers = {{"accept-encoding", "br"}}}).disconnect();
  client.advance(10s);
  EXPECT_EQ(decompressed("br", ask(client, "/stream", "br").body), "one two");
}

TEST(Compression, ACodingCanBeOff) {
  TestClient client(with_middleware(documents(), {compression({.brotli_quality = 0, .zstd_level = 0})}));
  EXPECT_EQ(ask(client, "/text", "br, zstd, gzip").header("content-encoding"), "gzip");
  EXPECT_THROW(static_cast<void>(compression({.gzip_level = 10})), std::invalid_argument);
}

// ---- requests ----

Application echoing(const DecompressionOptions& options = {}) {
  Router routes({.limits = {.body_bytes_max = std::size_t{64} << 20}});
  routes.post("/", [](Request& request) {
    const bool hidden =
        !request.headers().contains("content-encoding") && !request.headers().contains("content-length");
    return std::string(hidden ? "" : "NOT HIDDEN ") + std::string(request.body());
  });
  routes.post("/count", [](Request& request) {
    std::size_t longest = 0;
    std::size_t bytes = 0;
    while (const auto piece = request.read()) {
      bytes += piece->size();
      longest = std::max(longest, piece->size());
    }
    return std::to_string(bytes) + (longest <= 128 * 1024 ? " in pieces" : " at once");
  });
  return with_middleware(routes, {decompression(options)});
}

TestResponse post(TestClient& client, std::string coding, std::string body, std::string_view path = "/") {
  return client.post(path, {.headers = {{"content-encoding", std::move(coding)}}, .body = std::move(body)});
}

TEST(Decompression, TheApplicationGetsWhatWasMeant) {
  TestClient client(echoing());
  for (const std::string coding : {"gzip", "x-gzip", "br", "zstd", "deflate", "GZIP"}) {
    EXPECT_EQ(
        post(client, coding, compressed(coding == "x-gzip" || coding == "GZIP" ? "gzip" : coding, "hello"))
            .body,
        "hello")
        << coding;
  }
  EXPECT_EQ(post(client, "gzip, br", compressed("br", compressed("gzip", "hello"))).body, "hello");
  EXPECT_EQ(post(client, "identity", "hello").body.ends_with("hello"), true);
}

TEST(Decompression, HoweverItIsSplit) {
  TestClient client(echoing());
  const auto bytes = compressed("zstd", some_text(500));
  auto exchange = client.open("POST", "/", {.headers = {{"content-encoding", "zstd"}}}, true);
  for (const char byte : bytes) exchange.send({&byte, 1});
  exchange.send_last();
  EXPECT_TRUE(exchange.finish().body == some_text(500));
}

TEST(Decompression, WhatIsMalformedIsA400) {
  TestClient client(echoing());
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    const auto bytes = compressed(coding, some_text(1000));
    EXPECT_EQ(post(client, coding, bytes.substr(0, bytes.size() / 2)).status, 400) << coding;
    EXPECT_EQ(post(client, coding, bytes + "garbage").status, 400) << coding;
    EXPECT_EQ(post(client, coding, "x").status, 400) << coding;
    EXPECT_EQ(post(client, coding, "").status, 400) << coding;
  }
}

TEST(Decompression, AnUnknownCodingIsA415) {
  TestClient client(echoing());
  const auto refused = post(client, "compress", "x");
  EXPECT_EQ(refused.status, 415);
  EXPECT_EQ(refused.header("accept-encoding"), "gzip, deflate, br, zstd");
  EXPECT_EQ(post(client, "gzip, gzip, gzip", "x").status, 415);
}

TEST(Decompression, BombsAreRefused) {
  TestClient client(echoing({.bytes_max = 50'000'000}));
  const std::string zeros(40'000'000, '\0');
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    const auto bomb = compressed(coding, zeros);
    EXPECT_EQ(post(client, coding, bomb, "/count").status, 413) << coding << " of " << bomb.size();
  }
  const auto twice = compressed("gzip", compressed("gzip", zeros));
  EXPECT_EQ(post(client, "gzip, gzip", twice, "/count").status, 413);
}

TEST(Decompression, ALongBodyComesInPiecesUpToItsLimit) {
  TestClient client(echoing({.bytes_max = 1'000'000}));
  EXPECT_EQ(post(client, "gzip", compressed("gzip", some_text(1'000'000)), "/count").body,
            "1000000 in pieces");
  EXPECT_EQ(post(client, "gzip", compressed("gzip", some_text(1'000'001)), "/count").status, 413);
}

// ---- etag ----

TEST(Etag, WhoHasTheSameGets304) {
  Router routes;
  std::string now = "one";
  routes.get("/", [&] { return text(now); });
  routes.get("/own", [] { return text("x").with("ETag", "\"own\""); });
  routes.get("/stream", [] { return stream("text/plain", [](BodyWriter& body) { body.write("x"); }); });
  routes.get("/long", [] { return text(std::string(101, 'x')); });
  routes.get("/missing", [] { return 404; });
  TestClient client(with_middleware(routes, {etag({.bytes_max = 100})}));
  const auto first = client.get("/");
  ASSERT_TRUE(first.header("etag"));
  const std::string tag(*first.header("etag"));
  const auto again = [&] { return client.get("/", {.headers = {{"if-none-match", tag}}}); };
  EXPECT_EQ(again().status, 304);
  EXPECT_EQ(again().header("etag"), tag);
  EXPECT_EQ(client.get("/", {.headers = {{"if-none-match", "*"}}}).status, 304);
  EXPECT_EQ(client.get("/", {.headers = {{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}}).status,
            200);
  now = "two";
  EXPECT_EQ(again().body, "two");
  EXPECT_EQ(client.get("/own").header("etag"), "\"own\"");
  for (const char* path : {"/stream", "/long", "/missing"})
    EXPECT_EQ(client.get(path).header("etag"), std::nullopt) << path;
}

TEST(Etag, OfACompressedResponseIsWeakAndStillMatches) {
  Router routes;
  routes.get("/", [] { return text(some_text(5000)); });
  TestClient client(with_middleware(routes, {compression(), etag()}));
  const auto first = ask(client, "/");
  ASSERT_TRUE(first.header("etag"));
  EXPECT_TRUE(first.header("etag")->starts_with("W/\""));
  const std::string weak(*first.header("etag"));
  const auto again = client.get("/", {.headers = {{"accept-encoding", "br"}, {"if-none-match", weak}}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.header("etag"), weak) << "browsers take another one for another response";
  const auto plain = client.get("/", {.headers = {{"if-none-match", weak.substr(2)}}});
  EXPECT_EQ(plain.status, 304);
  EXPECT_EQ(plain.header("etag"), weak.substr(2));
}

}  // namespace
}  // namespace atlas::compression_test
