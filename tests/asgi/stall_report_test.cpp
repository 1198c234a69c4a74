#include <atlas/asgi/stall_report.hpp>

#include <atlas/asgi/server.hpp>
#include "support/captured_log.hpp"
#include "support/http_client.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;
using testing::CapturedLog;
using ::testing::HasSubstr;

constexpr TimePoint start(1h);

Stall example() {
  return {.worker = 2,
          .lasted = 210ms,
          .fiber = "client",
          .detail = "GET /spin HTTP/1.1",
          .stack = {"spin()+0x4", "main+0x10"}};
}

TEST(StallReport, SaysHowLongWhoAndWhere) {
  EXPECT_EQ(
      format_stall(example()),
      "worker 2 has been kept for 210ms by fiber 'client' serving 'GET /spin HTTP/1.1', at spin()+0x4 < "
      "main+0x10");
}

TEST(StallReport, SaysWhatItDoesNotKnow) {
  auto stall = example();
  stall.detail.clear();
  EXPECT_THAT(format_stall(stall), HasSubstr("by fiber 'client', at "));
  stall.fiber.clear();
  EXPECT_THAT(format_stall(stall), HasSubstr("for 210ms by the loop's own code, at "));
  stall.stack.clear();
  EXPECT_EQ(format_stall(stall), "worker 2 has been kept for 210ms and its thread does not say by whom");
}

TEST(StallReport, EscapesWhatAClientSent) {
  auto stall = example();
  stall.detail = "GET /\n\x80";
  EXPECT_THAT(format_stall(stall), HasSubstr("'GET /\\x0a\\x80'"));
}

TEST(StallReporter, CountsAllAndLogsOneInAnInterval) {
  Counter count;
  StallReporter reporter(count);
  CapturedLog log;
  reporter.report(example(), start);
  reporter.report(example(), start + StallReporter::interval - 1ns);
  reporter.report(example(), start + StallReporter::interval - 1ns);
  reporter.report(example(), start + StallReporter::interval);
  const auto text = log.take();
  EXPECT_EQ(count.get(), 4U);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_THAT(text, HasSubstr("main+0x10 (and 2 more stalls since the last report)\n"));
}

/// Waits for what another thread brings about; false when that does not come.
bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

ServerOptions watched(Duration threshold) {
  ServerOptions options;
  options.port = 0;
  options.workers = 1;
  options.stall_threshold = threshold;
  return options;
}

/// Blocks its worker until it is released, then answers.
struct Spinner {
  void operator()(const Scope& scope, Receive&, Send& send) const {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    while (!*released) ::usleep(100);
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "done"});
  }
  std::atomic<bool>* released;
};

TEST(ServerStalls, AreLoggedWithTheRequestAndCountedOnce) {
  std::atomic<bool> released = false;
  CapturedLog log;
  {
    Server server(Spinner{&released}, watched(5ms));
    server.start();
    testing::HttpClient client(server.addresses().front());
    client.send("GET /spin HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(becomes_true([&] { return server.status().totals().stalls > 0; }));
    const auto threads = server.fibers(5ms);
    ASSERT_EQ(threads.size(), 2U);
    EXPECT_FALSE(threads[1].answered);
    released = true;
    EXPECT_THAT(client.read_response(), HasSubstr("done"));
  }
  const auto text = log.take();
  EXPECT_THAT(text, HasSubstr("WARN  [stall watch] worker 0 has been kept for "));
  EXPECT_THAT(text, HasSubstr(" by fiber 'client' serving 'GET /spin HTTP/1.1', at "));
}

TEST(ServerStalls, AreNotWatchedWithoutAThreshold) {
  std::atomic<bool> released = true;
  Server server(Spinner{&released}, watched(0ms), log::SinkOptions{.target = "/dev/null"});
  server.start();
  EXPECT_EQ(testing::HttpClient(server.addresses().front()).get("/"), "done");
  const auto threads = server.fibers();
  for (const auto& row : threads.front().fibers) EXPECT_NE(row.fiber.name, "stall watch");
}

TEST(ServerFibers, AreOfTheControlThreadAndEveryWorker) {
  std::atomic<bool> released = true;
  auto options = watched(200ms);
  options.workers = 2;
  Server server(Spinner{&released}, options, log::SinkOptions{.target = "/dev/null"});
  server.start();
  const auto threads = server.fibers(20s);
  ASSERT_EQ(threads.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(threads[static_cast<std::size_t>(i)].worker, i - 1);
    EXPECT_TRUE(threads[static_cast<std::size_t>(i)].answered);
  }
}

}  // namespace
}  // namespace atlas::asgi
