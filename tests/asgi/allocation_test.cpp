// Counts calls of operator new, which is why it replaces it: for this whole test program.
#include "asgi/allocation_counter.hpp"
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

namespace {

thread_local std::size_t allocations_here = 0;
constinit std::atomic<std::int64_t> alive = 0;

}  // namespace

// Out of line: inlined, g++ takes new and free for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations_here;
  alive.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (void* memory = operator new(bytes, std::nothrow)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory != nullptr) alive.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace atlas::testing {

std::size_t allocations_of_this_thread() noexcept { return allocations_here; }
std::int64_t allocations_alive() noexcept { return alive.load(std::memory_order_relaxed); }

}  // namespace atlas::testing

namespace atlas::asgi {
namespace {

using testing::HttpHarness;

constexpr std::string_view get_request =
    "GET /a/b?c=d HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: test\r\nAccept: */*\r\nX-A: b\r\n\r\n";

void hello(const Scope&, Receive&, Send& send) {
  send(HttpResponseStart{.status = 200, .headers = {{"content-type", "text/plain"}}});
  send(HttpResponseBody{.body = "Hello, World!"});
}

/// Of one request after others like it. The harness, too, allocates nothing once warm.
std::size_t allocations_when_warm(Application application, std::string_view request,
                                  const ServerOptions& options = testing::plain_options()) {
  HttpHarness harness(std::move(application), options);
  auto& client = harness.client();
  const auto ask = [&] {
    client.send(request);
    harness.run();
    client.discard_received();
  };
  for (int i = 0; i < 8; ++i) ask();
  const auto before = testing::allocations_of_this_thread();
  for (int i = 0; i < 100; ++i) ask();
  const auto after = testing::allocations_of_this_thread();
  EXPECT_EQ(harness.counters().requests.get() % 108, 0U);
  return after - before;
}

TEST(Allocations, WarmRequestMakesNone) { EXPECT_EQ(allocations_when_warm(hello, get_request), 0U); }

TEST(Allocations, WarmPipelinedRequestsMakeNone) {
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += get_request;
  EXPECT_EQ(allocations_when_warm(hello, requests), 0U);
}

TEST(Allocations, WarmEchoOfABodyMakesNone) {
  const Application echo([](const Scope&, Receive& receive, Send& send) {
    send(HttpResponseStart{});
    for (bool more = true; more;) {
      const auto message = receive();
      const auto* piece = std::get_if<HttpRequest>(&message);
      if (piece == nullptr) return;
      more = piece->more_body;
      send(HttpResponseBody{.body = piece->body, .more_body = more});
    }
  });
  EXPECT_EQ(allocations_when_warm(echo,
                                  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\nhello\r\n0\r\n\r\n"),
            0U);
}

TEST(Allocations, WarmRequestThatSuspendsMakesNone) {
  const Application application([](const Scope& scope, Receive& receive, Send& send) {
    this_fiber::yield();
    hello(scope, receive, send);
  });
  EXPECT_EQ(allocations_when_warm(application, get_request), 0U);
}

TEST(Allocations, WarmRequestWhoseCostIsCountedMakesNone) {
  auto options = testing::plain_options();
  options.server_timing = options.access_log_cost = true;
  const Application application([](const Scope& scope, Receive& receive, Send& send) {
    this_fiber::yield();
    hello(scope, receive, send);
  });
  EXPECT_EQ(allocations_when_warm(application, get_request, options), 0U);
}

}  // namespace
}  // namespace atlas::asgi
