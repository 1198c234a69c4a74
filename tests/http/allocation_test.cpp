// Counts calls of operator new, which is why it replaces it: for this whole test program.
#include <atlas/http/request_parser.hpp>
#include <atlas/http/response_head.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace {

thread_local std::size_t allocation_count = 0;

}  // namespace

// Out of line: inlined, g++ takes new and free for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocation_count;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace atlas::http {
namespace {

// Parses what is in `bytes` to the end of its request, in pieces of at most `piece_bytes`.
void parse_request(RequestParser& parser, std::span<char> bytes, std::size_t piece_bytes) {
  parser.reset();
  for (ParseEvent event = ParseEvent::need_more; event != ParseEvent::complete;) {
    const ParseStep step = parser.parse(bytes.first(std::min(piece_bytes, bytes.size())));
    ASSERT_NE(step.event, ParseEvent::error) << parser.error().reason;
    bytes = bytes.subspan(step.consumed);
    event = step.event;
  }
}

std::size_t allocations_when_warm(std::string_view request, std::size_t piece_bytes) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes(request);
  parse_request(parser, bytes, piece_bytes);
  const std::size_t before = allocation_count;
  for (int i = 0; i < 3; ++i) parse_request(parser, bytes, piece_bytes);
  return allocation_count - before;
}

constexpr std::string_view chunked_request =
    "POST /a?b HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n0\r\nA: b\r\n\r\n";

TEST(RequestParser, WarmParserDoesNotAllocate) {
  EXPECT_EQ(allocations_when_warm(chunked_request, 4096), 0U);
}

TEST(RequestParser, WarmParserDoesNotAllocateForHeadsInPieces) {
  EXPECT_EQ(allocations_when_warm(chunked_request, 7), 0U);
}

TEST(ResponseHead, WarmOneDoesNotAllocate) {
  constexpr std::array<Header, 1> fields{{{"content-type", "text/plain"}}};
  const ResponseFraming framing = choose_framing({.body_bytes = 5});
  ResponseHead head;
  ByteBuffer out;
  const auto write = [&] {
    out.clear();
    EXPECT_EQ(head.hold(200, fields), std::nullopt);
    head.append_to(out, framing, http_1_1, {.server_line = "server: atlas\r\n"});
  };
  write();
  const std::size_t before = allocation_count;
  write();
  EXPECT_EQ(allocation_count, before);
}

}  // namespace
}  // namespace atlas::http
