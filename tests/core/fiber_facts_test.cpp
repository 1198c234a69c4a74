#include <atlas/core/fiber_facts.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;

constexpr std::size_t any_number = 1000;

/// The facts of the fiber named `name`.
FiberFacts facts_of(std::string_view name) {
  const auto all = Scheduler::current()->fibers(any_number);
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const FiberFacts& facts) { return facts.name == name; });
  return found != all.end() ? *found : FiberFacts{};
}

TEST(FiberFacts, TellASuspendedFibersReasonAndTimes) {
  TestLoop loop;
  loop.run([] {
    int object = 0;
    const auto waiter = spawn("waiter", [&] {
      this_fiber::sleep_for(2s).value();
      Wait wait({"an answer", &object});
      static_cast<void>(wait.park(Deadline::after(10s)));
    });
    this_fiber::sleep_for(5s).value();
    const auto facts = facts_of("waiter");
    EXPECT_EQ(facts.activity, FiberActivity::suspended);
    EXPECT_EQ(facts.waits_for, "an answer");
    EXPECT_EQ(facts.waits_on, &object);
    EXPECT_EQ(facts.age, 5s);
    EXPECT_EQ(facts.suspended_for, 3s);
    EXPECT_EQ(facts.deadline_left, 7s);
  });
}

TEST(FiberFacts, TellTheRunningFiberFromTheReadyOnes) {
  TestLoop loop;
  loop.run([] {
    const auto other = spawn("other", [] {});
    const auto self = facts_of("test");
    EXPECT_EQ(self.activity, FiberActivity::running);
    EXPECT_EQ(self.id, this_fiber::id());
    EXPECT_EQ(self.waits_for, "");
    EXPECT_EQ(self.suspended_for, std::nullopt);
    EXPECT_EQ(facts_of("other").activity, FiberActivity::ready);
    this_fiber::yield();
    EXPECT_EQ(facts_of("other").activity, FiberActivity::ended);
  });
}

TEST(FiberFacts, NameADeadlineScopesEndWhereTheWaitHasNone) {
  TestLoop loop;
  loop.run([] {
    EXPECT_EQ(facts_of("test").deadline_left, std::nullopt);
    const DeadlineScope scope(4s);
    EXPECT_EQ(facts_of("test").deadline_left, 4s);
  });
}

TEST(FiberFacts, ShowTheDetailAsItIsNow) {
  TestLoop loop;
  loop.run([] {
    EXPECT_EQ(facts_of("test").detail, "");
    this_fiber::set_detail("GET / HTTP/1.1");
    EXPECT_EQ(facts_of("test").detail, "GET / HTTP/1.1");
  });
}

TEST(FiberFacts, CanBeTakenOnTheLoopsOwnStack) {
  TestLoop loop;
  loop.start("sleeper", [] { this_fiber::sleep_for(1s).value(); });
  loop.run_until_idle();
  const auto all = loop.scheduler().fibers(any_number);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].waits_for, "sleep");
  loop.advance(1s);
  EXPECT_TRUE(loop.scheduler().fibers(any_number).empty());
}

TEST(FiberFacts, AreOfNoMoreFibersThanAskedFor) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    for (int i = 0; i < 5; ++i) group.spawn("member", [] {});
    EXPECT_EQ(Scheduler::current()->fibers(6).size(), 6U);
    EXPECT_EQ(Scheduler::current()->fibers(5).size(), 5U);
    EXPECT_EQ(Scheduler::current()->fibers(0).size(), 0U);
  });
}

TEST(FiberFacts, IdsAreNeverReused) {
  TestLoop loop;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i) loop.run([&] { ids.push_back(this_fiber::id()); });
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{1, 2, 3}));
}

/// Suspends with `bytes` of its stack in use.
template <std::size_t bytes>
[[gnu::noinline]] void suspend_with() {
  volatile char frame[bytes];
  frame[0] = 1;
  this_fiber::sleep_for(1s).value();
  frame[bytes - 1] = frame[0];
}

TEST(FiberFacts, TellHowMuchOfItsStackAFiberUsesNow) {
  TestLoop loop;
  loop.run([] {
    const auto deep = spawn("deep", suspend_with<40'000>);
    const auto shallow = spawn("shallow", [] { this_fiber::sleep_for(1s).value(); });
    this_fiber::yield();
    EXPECT_GT(facts_of("test").stack_bytes_used, 0U);
    EXPECT_GT(facts_of("deep").stack_bytes_used, 40'000U);
    EXPECT_LT(facts_of("shallow").stack_bytes_used, 40'000U);
    EXPECT_GE(facts_of("deep").stack_bytes, 256U * 1024);
  });
}

TEST(FiberFacts, TellTheStackSizeThatWasAskedFor) {
  TestLoop loop({.stack_bytes = std::size_t{512} * 1024, .trim_interval = Duration::zero()});
  loop.run([] {
    EXPECT_GE(facts_of("test").stack_bytes, 512U * 1024);
    EXPECT_LE(facts_of("test").stack_bytes, 516U * 1024);
  });
}

TEST(FiberFacts, ActivitiesHaveNames) {
  EXPECT_EQ(to_string(FiberActivity::ready), "ready");
  EXPECT_EQ(to_string(FiberActivity::running), "running");
  EXPECT_EQ(to_string(FiberActivity::suspended), "suspended");
  EXPECT_EQ(to_string(FiberActivity::ended), "ended");
}

}  // namespace
}  // namespace atlas
