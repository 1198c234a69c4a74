#include <atlas/core/cost.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::TestLoop;

std::vector<std::pair<std::string, Duration>> waits(const Cost& cost) {
  std::vector<std::pair<std::string, Duration>> all;
  for (const auto& [reason, time] : cost.suspended()) all.emplace_back(reason, time);
  return all;
}

/// Suspends until `deadline`, for `reason`.
void wait_for(const char* reason, Duration duration) {
  Wait wait({reason});
  EXPECT_EQ(wait.park(Deadline::after(duration)).status, WaitStatus::timed_out);
}

TEST(Cost, IsZeroAtFirst) {
  const Cost cost;
  EXPECT_EQ(cost.processor, 0ns);
  EXPECT_EQ(cost.ready, 0ns);
  EXPECT_THAT(cost.suspended(), IsEmpty());
}

TEST(Cost, TimeOfAReasonAddsUpWhereverItsTextLies) {
  const std::string one("read");
  const std::string other("read");
  Cost cost;
  cost.add_suspended(one, 1ms);
  cost.add_suspended("write", 5ms);
  cost.add_suspended(other, 2ms);
  EXPECT_THAT(waits(cost), ElementsAre(Pair("read", 3ms), Pair("write", 5ms)));
}

TEST(Cost, ReasonsPastTheBoundAreCountedTogether) {
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < Cost::reasons_max + 2; ++i) reasons.push_back("reason " + std::to_string(i));
  Cost cost;
  for (std::size_t i = 0; i < Cost::reasons_max; ++i) cost.add_suspended(reasons[i], 1ms);
  EXPECT_EQ(cost.suspended().size(), Cost::reasons_max);
  cost.add_suspended(reasons[Cost::reasons_max], 2ms);
  cost.add_suspended(reasons[Cost::reasons_max + 1], 3ms);
  cost.add_suspended(reasons[0], 1ms);
  ASSERT_EQ(cost.suspended().size(), Cost::reasons_max + 1);
  EXPECT_EQ(cost.suspended().front().time, 2ms);
  EXPECT_EQ(cost.suspended().back().reason, Cost::other_reasons);
  EXPECT_EQ(cost.suspended().back().time, 5ms);
}

TEST(Cost, AReasonCalledOthersIsCountedWithThem) {
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < Cost::reasons_max; ++i) reasons.push_back("reason " + std::to_string(i));
  reasons.front() = Cost::other_reasons;
  Cost cost;
  for (const auto& reason : reasons) cost.add_suspended(reason, 1ms);
  cost.add_suspended("one more", 2ms);
  EXPECT_EQ(cost.suspended().size(), Cost::reasons_max);
  EXPECT_EQ(cost.suspended().front().time, 3ms);
}

TEST(CostMeter, TellsComputingFromWaitingByReason) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    loop.driver().compute(3ms);
    wait_for("one thing", 20ms);
    loop.driver().compute(4ms);
    wait_for("another", 30ms);
    wait_for("one thing", 1ms);
    const auto cost = meter.end();
    EXPECT_EQ(cost.processor, 7ms);
    EXPECT_EQ(cost.ready, 0ns);
    EXPECT_THAT(waits(cost), ElementsAre(Pair("one thing", 21ms), Pair("another", 30ms)));
  });
}

TEST(CostMeter, CountsNothingBeforeItBeginsAndAfterItEnds) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    loop.driver().compute(1ms);
    wait_for("before", 1ms);
    meter.begin();
    const auto cost = meter.end();
    loop.driver().compute(1ms);
    wait_for("after", 1ms);
    EXPECT_EQ(cost.processor, 0ns);
    EXPECT_THAT(waits(cost), IsEmpty());
    EXPECT_FALSE(meter.counting());
  });
}

TEST(CostMeter, BeginsAtZeroAgain) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    loop.driver().compute(1ms);
    wait_for("first", 1ms);
    this_fiber::yield();
    meter.end();
    meter.begin();
    loop.driver().compute(2ms);
    const auto cost = meter.end();
    EXPECT_EQ(cost.processor, 2ms);
    EXPECT_EQ(cost.ready, 0ns);
    EXPECT_THAT(waits(cost), IsEmpty());
  });
}

TEST(CostMeter, WhatOthersComputeMeanwhileIsWaiting) {
  TestLoop loop;
  bool stop = false;
  loop.start("other", [&] {
    while (!stop) {
      loop.driver().compute(5ms);
      this_fiber::yield();
    }
  });
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    this_fiber::yield();
    const auto cost = meter.end();
    stop = true;
    EXPECT_EQ(cost.processor, 0ns);
    EXPECT_EQ(cost.ready, 5ms);
    EXPECT_THAT(waits(cost), IsEmpty());
  });
}

TEST(CostMeter, TimeInTheRunQueueAfterAWakeIsNoTimeOfTheWait) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    Wait wait({"an answer"});
    loop.start("waker", [&, waker = wait.waker()] {
      loop.driver().compute(2ms);
      waker.wake();
      loop.driver().compute(7ms);
    });
    // Started by this fiber, so what it computes counts, too.
    EXPECT_TRUE(wait.park().woken());
    const auto cost = meter.end();
    EXPECT_THAT(waits(cost), ElementsAre(Pair("an answer", 2ms)));
    EXPECT_EQ(cost.ready, 7ms);
    EXPECT_EQ(cost.processor, 9ms);
  });
}

TEST(CostMeter, AWaitThatIsCancelledCounts) {
  TestLoop loop;
  Cost cost;
  loop.run([&] {
    auto waiting = spawn("waiting", [&] {
      CostMeter meter;
      meter.begin();
      Wait wait({"nothing"});
      EXPECT_EQ(wait.park().status, WaitStatus::cancelled);
      cost = meter.end();
    });
    this_fiber::sleep_for(10ms).value();
    waiting.cancel();
    loop.driver().compute(1ms);
    waiting.join().value();
  });
  EXPECT_THAT(waits(cost), ElementsAre(Pair("nothing", 10ms)));
  EXPECT_EQ(cost.ready, 1ms);
}

TEST(CostMeter, AWaitThatEndsBeforeItSuspendsIsNone) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    Wait wait({"an answer"});
    wait.waker().wake();
    EXPECT_TRUE(wait.park().woken());
    EXPECT_THAT(waits(meter.end()), IsEmpty());
  });
}

TEST(CostMeter, ProcessorTimeOfChildrenCountsAndTheirWaitsDoNot) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    FiberGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn("child", [&] {
        loop.driver().compute(1ms);
        wait_for("child's", 10ms);
        spawn("grandchild", [&] { loop.driver().compute(2ms); }).join().value();
        loop.driver().compute(1ms);
      });
    }
    group.join().value();
    const auto cost = meter.end();
    EXPECT_EQ(cost.processor, 12ms);
    ASSERT_EQ(cost.suspended().size(), 1U);
    EXPECT_EQ(cost.suspended().front().reason, "join group");
  });
}

TEST(CostMeter, AChildThatOutlivesItIsCountedForUntilItsEnd) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    auto child = spawn("child", [&] {
      loop.driver().compute(1ms);
      this_fiber::sleep_for(10ms).value();
      loop.driver().compute(100ms);
    });
    this_fiber::sleep_for(5ms).value();
    EXPECT_EQ(meter.end().processor, 1ms);
    meter.begin();
    this_fiber::sleep_for(10ms).value();
    const auto cost = meter.end();
    EXPECT_EQ(cost.processor, 0ns);
    child.join().value();
  });
}

TEST(CostMeter, AChildMayOutliveTheMeterItself) {
  TestLoop loop;
  loop.run([&] {
    Fiber child;
    {
      CostMeter meter;
      meter.begin();
      child = spawn("child", [&] {
        this_fiber::sleep_for(10ms).value();
        loop.driver().compute(3ms);
        EXPECT_EQ(this_fiber::cost()->processor, 3ms);
      });
    }
    EXPECT_FALSE(this_fiber::cost());
    child.join().value();
  });
}

TEST(CostMeter, OneWithinCountsInPlaceOfTheOuterOne) {
  TestLoop loop;
  loop.run([&] {
    CostMeter outer;
    outer.begin();
    loop.driver().compute(1ms);
    CostMeter inner;
    inner.begin();
    loop.driver().compute(10ms);
    wait_for("inner's", 20ms);
    EXPECT_EQ(inner.end().processor, 10ms);
    loop.driver().compute(2ms);
    wait_for("outer's", 3ms);
    const auto cost = outer.end();
    EXPECT_EQ(cost.processor, 3ms);
    EXPECT_THAT(waits(cost), ElementsAre(Pair("outer's", 3ms)));
  });
}

TEST(CostMeter, SoFarHasWhatIsRunningNow) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    loop.driver().compute(1ms);
    wait_for("a thing", 2ms);
    loop.driver().compute(1ms);
    EXPECT_EQ(meter.so_far().processor, 2ms);
    EXPECT_THAT(waits(meter.so_far()), ElementsAre(Pair("a thing", 2ms)));
    loop.driver().compute(1ms);
    EXPECT_EQ(meter.end().processor, 3ms);
  });
}

TEST(CostMeter, SoFarAskedByAFiberItDoesNotCountForHasNothingOfThatOne) {
  TestLoop loop;
  CostMeter meter;
  loop.start("counted", [&] {
    meter.begin();
    loop.driver().compute(1ms);
    this_fiber::sleep_for(1s).value();
    meter.end();
  });
  loop.run([&] {
    this_fiber::sleep_for(10ms).value();
    loop.driver().compute(50ms);
    EXPECT_EQ(meter.so_far().processor, 1ms);
    EXPECT_FALSE(this_fiber::cost());
  });
  loop.advance(2s);
}

TEST(CostMeter, ThisFibersCostIsThatOfItsMeter) {
  EXPECT_FALSE(this_fiber::cost());
  TestLoop loop;
  loop.run([&] {
    EXPECT_FALSE(this_fiber::cost());
    CostMeter meter;
    meter.begin();
    loop.driver().compute(1ms);
    ASSERT_TRUE(this_fiber::cost());
    EXPECT_EQ(this_fiber::cost()->processor, 1ms);
    meter.end();
    EXPECT_FALSE(this_fiber::cost());
  });
}

TEST(CostMeter, PooledFibersStartWithoutOne) {
  TestLoop loop;
  loop.run([&] {
    CostMeter meter;
    meter.begin();
    spawn("counted", [] { EXPECT_TRUE(this_fiber::cost()); }).join().value();
    meter.end();
    spawn("not counted", [] { EXPECT_FALSE(this_fiber::cost()); }).join().value();
  });
}

TEST(CostMeterDeathTest, EndsOnItsOwnFiberOnly) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto end_elsewhere = [] {
    TestLoop loop;
    loop.run([] {
      CostMeter meter;
      meter.begin();
      spawn("other", [&] { meter.end(); }).join().value();
    });
  };
  EXPECT_DEATH(end_elsewhere(), "a cost meter ends on the fiber where it began");
}

Duration thread_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// The thread's clock is read around what the meter counts, and within: that bounds what it may say.
TEST(CostMeter, OnARealLoopItIsTheThreadsProcessorTime) {
  run_event_loop([] {
    const auto before = thread_time();
    CostMeter meter;
    meter.begin();
    const auto inside = thread_time();
    while (thread_time() - inside < 2ms) continue;
    this_fiber::sleep_for(1ms).value();
    const auto cost = meter.end();
    const auto after = thread_time();
    EXPECT_GE(cost.processor, 2ms);
    EXPECT_LE(cost.processor, after - before);
    ASSERT_EQ(cost.suspended().size(), 1U);
    EXPECT_EQ(cost.suspended().front().reason, "sleep");
    EXPECT_GT(cost.suspended().front().time, 0ns);
  });
}

}  // namespace
}  // namespace atlas
