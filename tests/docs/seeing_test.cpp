// The examples of docs/seeing.md: pages_test.cpp sees to it that the page shows them as they are here. What
// the page shows of the log is what the server logs.
#include "app/running_server.hpp"
#include "docs/page.hpp"
#include "support/captured_log.hpp"
#include "support/manual_driver.hpp"

#include <atlas/asgi/fiber_report.hpp>
#include <atlas/asgi/server.hpp>
#include <atlas/asgi/stall_report.hpp>
#include <atlas/core/cost.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/log.hpp>

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::BlockingClient;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::RunningServer;
using ::testing::StartsWith;

void not_found(asgi::Send& send) {
  send(asgi::HttpResponseStart{.status = 404});
  send(asgi::HttpResponseBody{.body = "There is nothing here.\n"});
}

void import_file(const std::string&) { this_fiber::sleep_for(1s).value(); }

void waiting_requests(const asgi::Scope& scope, asgi::Receive&, asgi::Send& send) {
  const auto* census = scope.extensions.atlas.fibers;
  if (census == nullptr) return not_found(send);  // the option is off
  std::string text;
  for (const auto& thread : census->take()) {  // suspends: a second at most
    for (const auto& [fiber, client] : thread.fibers) {
      if (!client.empty()) text += fmt::format("{} waits for: {}\n", fiber.detail, fiber.waits_for);
    }
  }
  send(asgi::HttpResponseStart{.headers = {{"content-type", "text/plain"}}});
  send(asgi::HttpResponseBody{.body = text});
}

void import_files(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    this_fiber::set_detail(name);  // not copied: it must live until it is replaced
    import_file(name);
  }
  this_fiber::set_detail({});
}

std::string answer_of(const asgi::Application& application, bool debug_endpoints) {
  asgi::Server server(application, {.port = 0, .workers = 1, .debug_endpoints = debug_endpoints},
                      log::SinkOptions{.target = "/dev/null"});
  server.start();
  return BlockingClient(server.port()).request("GET", "/now").body;
}

TEST(SeeingPage, AnApplicationFindsTheFibersInItsScope) {
  EXPECT_EQ(answer_of(waiting_requests, true), "GET /now HTTP/1.1 waits for: fiber census\n");
  EXPECT_EQ(answer_of(waiting_requests, false), "There is nothing here.\n");
}

void log_cost() {
  if (const auto cost = this_fiber::cost()) log::info("{} us until here", cost->processor / 1us);
}

TEST(SeeingPage, AFiberKnowsWhatItHasCost) {
  testing::TestLoop loop;
  testing::CapturedLog log;
  loop.run([&] {
    log_cost();  // nobody counts: nothing is logged
    CostMeter meter;
    meter.begin();
    loop.driver().compute(20us);
    log_cost();
  });
  EXPECT_THAT(log.take(), EndsWith("20 us until here\n"));
}

TEST(SeeingPage, AFiberSaysWhatItIsBusyWith) {
  testing::TestLoop loop;
  const std::vector<std::string> names{"first", "second"};
  loop.start("import", [&] { import_files(names); });
  std::vector<std::string> details;
  for (loop.run_until_idle(); loop.scheduler().fibers_alive() > 0; loop.advance(1s)) {
    details.push_back(loop.scheduler().fibers(1).front().detail);
  }
  EXPECT_THAT(details, ElementsAre("first", "second"));
}

// ---- what the page shows of the log ----

const std::string page = testing::text_of(testing::source_tree / "docs/seeing.md");

asgi::FiberRow row(std::string name, std::string_view waits_for, Duration suspended, Duration age) {
  return {.fiber = {.name = std::move(name),
                    .activity = FiberActivity::suspended,
                    .waits_for = waits_for,
                    .age = age,
                    .suspended_for = suspended}};
}

// NOLINTNEXTLINE(misc-no-recursion): that is the point
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

void overflow_a_stack() {
  run_event_loop([] {
    const auto fiber = spawn("client", [] {
      this_fiber::set_detail("GET /deep HTTP/1.1");
      static_cast<void>(recurse(100'000'000));
    });
    this_fiber::yield();
  });
}

TEST(SeeingPage, ShowsAReportAsTheServerLogsIt) {
  auto signals = row("signals", "signal", 2100ms, 2300ms);
  signals.fiber.stack_bytes_used = 340;
  auto client = row("client", "sleep", 1200ms, 1200ms);
  client.fiber.deadline_left = 7800ms;
  client.fiber.detail = "GET /sleep?ms=9000 HTTP/1.1";
  client.fiber.stack_bytes_used = 592;
  client.client = "127.0.0.1:40554";
  const std::vector<asgi::ThreadFibers> threads{
      {.worker = -1, .answered = true, .alive = 1, .fibers = {signals}},
      {.worker = 0,
       .answered = true,
       .alive = 1,
       .fibers = {client},
       .stack_marks = {{.name = "client", .bytes_max = std::size_t{48} * 1024, .samples = 212}}}};
  for (const auto& line : format_fiber_report(threads)) EXPECT_THAT(page, HasSubstr(line + "\n"));
}

TEST(SeeingPage, ShowsAStallAsTheServerLogsIt) {
  const Stall stall{.worker = 0,
                    .lasted = 203ms,
                    .fiber = "client",
                    .detail = "GET /report HTTP/1.1",
                    .stack = {"regexec+0x5c", "libshop.so+0x41d2"}};
  EXPECT_THAT(page, HasSubstr("WARN  [stall watch] " + asgi::format_stall(stall)));
}

TEST(SeeingPageDeathTest, ShowsAnOverflowAsItIsReported) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto lines = testing::all_between(page, "\natlas: fiber ", "\n");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_DEATH(overflow_a_stack(), ::testing::HasSubstr("atlas: fiber " + lines.front() + "\n"));
}

// ---- what the page says of the command ----

/// Until the server counts `count` of them as begun, this one included.
void wait_for_requests(BlockingClient& client, int count) {
  for (;; ++count) {
    const auto facts = client.request("GET", "/facts").body;
    if (facts.find("\"requests\":" + std::to_string(count) + ",") != std::string::npos) return;
  }
}

TEST(SeeingPage, Sigusr1LogsWhatEveryFiberIsDoing) {
  RunningServer server;
  BlockingClient sleeper(server.port());
  sleeper.send_request("GET", "/sleep?ms=9000");
  BlockingClient other(server.port());
  wait_for_requests(other, 2);
  server.process().signal(SIGUSR1);
  const auto line = server.process().out().find("GET /sleep?ms=9000 HTTP/1.1 from 127.0.0.1:");
  EXPECT_THAT(line.value_or(""),
              AllOf(HasSubstr("w0       suspended"), HasSubstr("client           sleep  ")));
  EXPECT_TRUE(server.process().out().find("w0       stacks of 'client': up to "));
}

TEST(SeeingPage, DebugEndpointsAreOffUnlessSwitchedOn) {
  EXPECT_EQ(RunningServer().get("/debug/fibers").status, 404);
  const RunningServer server({"--debug-endpoints", "on"});
  EXPECT_THAT(server.get("/debug/fibers").body, StartsWith("<!doctype html>"));
  EXPECT_THAT(server.get("/debug/fibers?format=json").body, StartsWith("{\"threads\":["));
}

}  // namespace
}  // namespace atlas
