#include <atlas/core/stack_overflow.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>

#include <gtest/gtest.h>

#include <csignal>

namespace atlas {
namespace {

constexpr int for_ever = 100'000'000;

// NOLINTNEXTLINE(misc-no-recursion): that is the point
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

void overflow_in_fiber() {
  spawn("client 7",
        [] {
          this_fiber::set_detail("GET /deep");
          static_cast<void>(recurse(for_ever));
        })
      .join()
      .value();
}

TEST(StackOverflowDeathTest, IsReportedByFiberAndDetail) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_event_loop(overflow_in_fiber), ::testing::KilledBySignal(SIGABRT),
              "atlas: fiber 'client 7' overflowed its stack while serving 'GET /deep' "
              "\\(too deep a recursion, or too large a local variable\\)");
}

TEST(StackOverflowDeathTest, IsReportedWithoutADetail) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_event_loop([] { static_cast<void>(recurse(for_ever)); }),
               "fiber 'main' overflowed its stack \\(too deep");
}

TEST(StackOverflowDeathTest, OtherFaultsAreNotReportedAsOverflow) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      run_event_loop([] { std::raise(SIGBUS); }),
      [](int status) { return !::testing::ExitedWithCode(0)(status); }, "^$|SIGBUS|BUS on");
}

TEST(StackOverflow, DeepRecursionWithinTheStackIsFine) {
  run_event_loop([] { EXPECT_EQ(recurse(10), 55); });
}

}  // namespace
}  // namespace atlas
