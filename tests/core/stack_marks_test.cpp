#include <atlas/core/stack_marks.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using detail::StackMarks;
using testing::TestLoop;

constexpr std::size_t kept_bytes = std::size_t{16} * 1024;

TEST(StackMarks, KeepTheDeepestOfEachName) {
  StackMarks marks;
  marks.note("client", 100);
  marks.note("client", 300);
  marks.note("client", 200);
  marks.note("acceptor", 50);
  ASSERT_EQ(marks.all().size(), 2U);
  EXPECT_EQ(marks.all()[0].name(), "client");
  EXPECT_EQ(marks.all()[0].bytes_max, 300U);
  EXPECT_EQ(marks.all()[0].samples, 3U);
  EXPECT_EQ(marks.all()[1].name(), "acceptor");
}

TEST(StackMarks, NamesBeyondTheBoundShareOneMark) {
  StackMarks marks;
  for (std::size_t i = 0; i < StackMarks::names_max + 10; ++i) marks.note(std::to_string(i), i);
  ASSERT_EQ(marks.all().size(), StackMarks::names_max + 1);
  EXPECT_EQ(marks.all().back().name(), "(others)");
  EXPECT_EQ(marks.all().back().samples, 10U);
  marks.note("0", 5);
  EXPECT_EQ(marks.all().front().samples, 2U);
}

StackMark mark_of(Scheduler& scheduler, std::string_view name) {
  for (auto& mark : scheduler.stack_marks()) {
    if (mark.name == name) return mark;
  }
  return {};
}

/// Writes to `bytes` of the stack.
template <std::size_t bytes>
[[gnu::noinline]] void use_stack() {
  volatile char frame[bytes];
  for (std::size_t i = 0; i < bytes; i += 1024) frame[i] = static_cast<char>(frame[0] + 1);
}

TEST(SchedulerStackMarks, RememberAFiberThatHasEnded) {
  TestLoop loop;
  loop.run([] { spawn("deep", use_stack<100'000>).join().value(); });
  const auto mark = mark_of(loop.scheduler(), "deep");
  EXPECT_GE(mark.bytes_max, 100'000U);
  EXPECT_LT(mark.bytes_max, 200'000U);
  EXPECT_GE(mark.samples, 1U);
}

TEST(SchedulerStackMarks, SeeAFiberThatStillRuns) {
  TestLoop loop;
  loop.run([&] {
    use_stack<100'000>();
    EXPECT_GE(mark_of(loop.scheduler(), "test").bytes_max, 100'000U);
  });
}

TEST(SchedulerStackMarks, AreNeverBelowWhatAPooledStackKeeps) {
  TestLoop loop;
  loop.run([] {});
  EXPECT_GE(mark_of(loop.scheduler(), "test").bytes_max, kept_bytes);
}

TEST(SchedulerStackMarks, DoNotTakeOneNamesDepthForAnothers) {
  TestLoop loop;
  loop.run([&] {
    spawn("deep", use_stack<100'000>).join().value();
    spawn("shallow", [] {}).join().value();  // on the same stack
    EXPECT_GE(mark_of(loop.scheduler(), "deep").bytes_max, 100'000U);
    EXPECT_LT(mark_of(loop.scheduler(), "shallow").bytes_max, 100'000U);
  });
}

TEST(SchedulerStackMarks, LookAtABoundedNumberOfStacksBetweenTrims) {
  TestLoop loop({.trim_interval = 5s});
  loop.run([&] {
    for (int i = 0; i < 1000; ++i) {
      spawn("one", [] {}).join().value();
      spawn("other", [] {}).join().value();
    }
    const auto before = mark_of(loop.scheduler(), "one").samples;
    EXPECT_LT(before, 256U);
    this_fiber::sleep_for(6s).value();
    spawn("one", [] {}).join().value();
    EXPECT_GT(mark_of(loop.scheduler(), "one").samples, before);
  });
}

TEST(SchedulerStackMarks, AreTakenWhenStacksAreTrimmed) {
  TestLoop loop({.trim_interval = 5s});
  loop.run([] { spawn("deep", use_stack<100'000>).join().value(); });
  loop.advance(20s);
  EXPECT_EQ(loop.scheduler().stack_slabs(), 0U);
  EXPECT_GE(mark_of(loop.scheduler(), "deep").bytes_max, 100'000U);
}

}  // namespace
}  // namespace atlas
