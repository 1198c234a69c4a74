#include <atlas/asgi/fiber_report.hpp>

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

FiberRow sleeper() {
  return {.fiber = {.id = 1,
                    .name = "client",
                    .activity = FiberActivity::suspended,
                    .waits_for = "sleep",
                    .age = 62s,
                    .suspended_for = 3200ms,
                    .deadline_left = 26s,
                    .detail = "GET / HTTP/1.1",
                    .stack_bytes_used = 2048},
          .client = "192.0.2.1:4000"};
}

TEST(FiberReport, HasALineForEachFiberInColumns) {
  const FiberRow running{
      .fiber = {.id = 2, .name = "signals", .activity = FiberActivity::running, .age = 1ms}};
  const std::vector<ThreadFibers> threads{{.worker = -1, .answered = true, .alive = 1, .fibers = {running}},
                                          {.worker = 0,
                                           .answered = true,
                                           .alive = 1,
                                           .fibers = {sleeper()},
                                           .stack_marks = {{"client", 65536, 12}}},
                                          {.worker = 1}};
  EXPECT_THAT(
      format_fiber_report(threads),
      ElementsAre(
          "2 fibers on 3 threads",
          "thread   state        since      age   due in    stack  fiber            waits for        request",
          "control  running          -      1ms        -     0.0k  signals          -                -",
          "w0       suspended     3.2s    1m02s    26.0s     2.0k  client           sleep            GET / "
          "HTTP/1.1 "
          "from 192.0.2.1:4000",
          "w1       did not answer", "w0       stacks of 'client': up to 64.0k used, in 12 samples"));
}

TEST(FiberReport, IsBounded) {
  const std::vector<ThreadFibers> threads{
      {.worker = 0, .answered = true, .alive = 50, .fibers = std::vector(20, sleeper())}};
  EXPECT_EQ(format_fiber_report(threads, 52).size(), 23U);
  const auto lines = format_fiber_report(threads, 12);
  EXPECT_EQ(lines.size(), 13U);
  EXPECT_EQ(lines.back(), "and 40 more");
}

TEST(FiberReport, EscapesWhatAClientSent) {
  auto row = sleeper();
  row.fiber.detail = "GET /\xff\n HTTP/1.1";
  const auto lines = format_fiber_report({{.worker = 0, .answered = true, .alive = 1, .fibers = {row}}});
  EXPECT_THAT(lines.back(), HasSubstr("GET /\\xff\\x0a HTTP/1.1 from"));
}

TEST(FiberReport, CutsALongRequest) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef... (1 bytes more)");
}

TEST(FiberReport, WritesDurationsRoughly) {
  EXPECT_EQ(rough_duration(0ms), "0ms");
  EXPECT_EQ(rough_duration(999ms), "999ms");
  EXPECT_EQ(rough_duration(1000ms), "1.0s");
  EXPECT_EQ(rough_duration(59'999ms), "59.9s");
  EXPECT_EQ(rough_duration(60s), "1m00s");
  EXPECT_EQ(rough_duration(1h + 5min), "1h05m");
  EXPECT_EQ(rough_duration(49h), "2d01h");
  EXPECT_EQ(rough_duration(-1500ms), "-1.5s");
}

TEST(FiberReport, TellsOfOffloadedWork) {
  EXPECT_EQ(offload_text({.threads = 4, .busy = 2, .queued = 3, .waiting_for_room = 1}),
            "offload: 2 of 4 threads busy, 3 calls queued, 1 waiting for room");
}

}  // namespace
}  // namespace atlas::asgi
