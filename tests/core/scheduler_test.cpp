#include <atlas/core/scheduler.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::ManualDriver;
using testing::TestLoop;

/// Notes what the scheduler asks of its driver.
class WatchedDriver final : public ManualDriver {
 public:
  void poll(std::optional<TimePoint> until) override {
    ++polls;
    last_until = until;
    if (on_poll) std::exchange(on_poll, {})();
  }
  int polls = 0;
  std::optional<TimePoint> last_until;
  UniqueFunction on_poll;
};

TEST(Scheduler, StartFromACallbackQueuesTheFiber) {
  WatchedDriver driver;
  Scheduler scheduler(driver);
  std::string order;
  driver.on_poll = [&] {
    scheduler.start("client", [&] { order += "fiber"; });
    order += "callback ";
  };
  scheduler.turn(false);
  EXPECT_EQ(order, "callback ");
  scheduler.turn(false);
  EXPECT_EQ(order, "callback fiber");
}

TEST(Scheduler, StartFromAFiberQueuesTheNewOne) {
  TestLoop loop;
  std::string order;
  loop.run([&] {
    loop.scheduler().start("child", [&] { order += "child"; });
    order += "parent ";
    this_fiber::yield();
  });
  EXPECT_EQ(order, "parent child");
}

TEST(Scheduler, IsCurrentOnlyWhileItTurns) {
  TestLoop loop;
  EXPECT_EQ(Scheduler::current(), nullptr);
  const Scheduler* seen = nullptr;
  loop.run([&] { seen = Scheduler::current(); });
  EXPECT_EQ(seen, &loop.scheduler());
  EXPECT_EQ(Scheduler::current(), nullptr);
}

TEST(Scheduler, FibersThatWakeOneAnotherDoNotStarveTheDriver) {
  WatchedDriver driver;
  Scheduler scheduler(driver, {.switches_per_turn_max = 10});
  int switches = 0;
  bool stop = false;
  for (int i = 0; i < 2; ++i) {
    scheduler.start("busy", [&] {
      while (!stop) {
        ++switches;
        this_fiber::yield();
      }
    });
  }
  scheduler.turn(false);
  EXPECT_EQ(switches, 10);
  EXPECT_EQ(driver.polls, 1);
  scheduler.turn(false);
  EXPECT_EQ(switches, 20);
  EXPECT_EQ(driver.polls, 2);
  stop = true;
  scheduler.turn(false);
}

TEST(Scheduler, AnInterludeRunsWhatIsPostedDueAndReady) {
  WatchedDriver driver;
  Scheduler scheduler(driver, {.trim_interval = Duration::zero()});
  std::string order;
  Timer timer([](void* text) { *static_cast<std::string*>(text) += "timer "; }, &order);
  driver.on_poll = [&] {
    scheduler.start("client", [&] { order += "fiber "; });
    timer.arm(scheduler.timers(), driver.now());
    scheduler.inbox()->post([&] { order += "posted "; });
    scheduler.interlude();
    order += "callback";
  };
  scheduler.turn(false);
  EXPECT_EQ(order, "posted timer fiber callback");
}

TEST(Scheduler, AnInterludeIsBoundedAsATurnIs) {
  WatchedDriver driver;
  Scheduler scheduler(driver, {.switches_per_turn_max = 10});
  int switches = 0;
  driver.on_poll = [&] {
    scheduler.start("busy", [&] {
      for (; switches < 15; ++switches) this_fiber::yield();
    });
    scheduler.interlude();
    EXPECT_EQ(switches, 10 - 1);
  };
  scheduler.turn(false);
  while (scheduler.has_ready_fibers()) scheduler.turn(false);
}

TEST(Scheduler, AnInterludeIsABeatOfThePulse) {
  WatchedDriver driver;
  Scheduler scheduler(driver);
  bool busy_between = false;
  driver.on_poll = [&] {
    const auto before = scheduler.pulse();
    scheduler.inbox()->post([&] { busy_between = scheduler.pulse().busy; });
    scheduler.interlude();
    EXPECT_NE(scheduler.pulse().beat, before.beat);
    EXPECT_FALSE(scheduler.pulse().busy);
  };
  scheduler.turn(false);
  EXPECT_TRUE(busy_between);
}

// Or else the stall watch takes the two for one that lasts.
TEST(Scheduler, TheTurnBehindAnInterludeHasABeatOfItsOwn) {
  WatchedDriver driver;
  Scheduler scheduler(driver);
  std::vector<std::uint64_t> beats;
  const auto note = [&] { beats.push_back(scheduler.pulse().beat); };
  driver.on_poll = [&] {
    scheduler.inbox()->post(note);
    scheduler.interlude();
  };
  scheduler.turn(false);
  scheduler.inbox()->post(note);
  scheduler.turn(false);
  ASSERT_EQ(beats.size(), 2U);
  EXPECT_NE(beats[0], beats[1]);
}

TEST(Scheduler, DoesNotWaitWhileAFiberIsReady) {
  WatchedDriver driver;
  Scheduler scheduler(driver, {.trim_interval = Duration::zero()});
  scheduler.start("yields", [] {
    for (int i = 0; i < 1000; ++i) this_fiber::yield();
  });
  scheduler.turn(true);
  ASSERT_TRUE(scheduler.has_ready_fibers());
  ASSERT_TRUE(driver.last_until);
  EXPECT_LE(*driver.last_until, driver.turn_time());
  while (scheduler.has_ready_fibers()) scheduler.turn(false);
}

TEST(Scheduler, WaitsUntilTheNextTimer) {
  WatchedDriver driver;
  Scheduler scheduler(driver, {.trim_interval = Duration::zero()});
  Timer timer([](void*) {}, nullptr);
  timer.arm(scheduler.timers(), driver.now() + 20ms);
  scheduler.turn(true);
  EXPECT_EQ(driver.last_until, driver.now() + 20ms);
}

TEST(Scheduler, WaitsWithoutEndWhenNoTimerIsArmed) {
  WatchedDriver driver;
  Scheduler scheduler(driver);
  scheduler.turn(true);
  EXPECT_EQ(driver.last_until, std::nullopt);
}

TEST(Scheduler, RunGoesOnUntilStoppedAndTheQueueIsEmpty) {
  WatchedDriver driver;
  Scheduler scheduler(driver);
  int yields = 0;
  scheduler.start("main", [&] {
    scheduler.stop();
    for (; yields < 1000; ++yields) this_fiber::yield();
  });
  scheduler.run();
  EXPECT_EQ(yields, 1000);
}

TEST(Scheduler, RunsWhatWasPostedOnTheLoopsStack) {
  TestLoop loop;
  bool on_fiber = true;
  loop.scheduler().inbox()->post([&] { on_fiber = loop.scheduler().on_fiber(); });
  loop.run_until_idle();
  EXPECT_FALSE(on_fiber);
}

TEST(Scheduler, CountsFibers) {
  TestLoop loop;
  loop.run([&] {
    FiberGroup group;
    for (int i = 0; i < 9; ++i) group.spawn("member", [] { this_fiber::sleep_for(1s).value(); });
    EXPECT_EQ(loop.scheduler().fibers_alive(), 10U);
    group.join().value();
  });
  EXPECT_EQ(loop.scheduler().fibers_alive(), 0U);
  EXPECT_EQ(loop.scheduler().fibers_started(), 10U);
}

TEST(Scheduler, TrimmingGivesTheStacksOfABusyMomentBack) {
  TestLoop loop({.stack_bytes = std::size_t{16} * 1024, .trim_interval = 5s});
  loop.run([] {
    FiberGroup group;
    for (int i = 0; i < 1000; ++i) group.spawn("member", [] { this_fiber::yield(); });
    group.join().value();
  });
  EXPECT_GE(loop.scheduler().stack_slabs(), 15U);
  loop.advance(5s);  // the busy moment lies within this interval …
  EXPECT_GE(loop.scheduler().stack_slabs(), 15U);
  loop.advance(6s);  // … and before this one
  EXPECT_EQ(loop.scheduler().stack_slabs(), 0U);
}

TEST(Scheduler, ManyStacksAreGivenBackInPortions) {
  TestLoop loop({.stack_bytes = std::size_t{16} * 1024, .trim_interval = 5s});
  loop.run([] {
    FiberGroup group;
    for (int i = 0; i < 3000; ++i) group.spawn("member", [] { this_fiber::yield(); });
    group.join().value();
  });
  std::set<std::size_t> slab_counts;
  for (int i = 0; i < 2000; ++i) {
    loop.advance(10ms);
    slab_counts.insert(loop.scheduler().stack_slabs());
  }
  EXPECT_EQ(*slab_counts.begin(), 0U);
  EXPECT_GE(slab_counts.size(), 6U);
}

TEST(Scheduler, TrimmingKeepsTheStacksThatAreInUse) {
  TestLoop loop({.stack_bytes = std::size_t{16} * 1024, .trim_interval = 5s});
  loop.run([&] {
    int sum = 0;
    FiberGroup group;
    for (int i = 0; i < 10; ++i) {
      group.spawn("member", [&sum, i] {
        const int local = i;
        this_fiber::sleep_for(1min).value();
        sum += local;
      });
    }
    group.join().value();
    EXPECT_EQ(sum, 45);
    EXPECT_EQ(loop.scheduler().stack_slabs(), 1U);
  });
}

TEST(Scheduler, FibersRunOnStacksThatWereTrimmed) {
  TestLoop loop({.stack_bytes = std::size_t{64} * 1024, .trim_interval = 5s});
  int runs = 0;
  for (int round = 0; round < 4; ++round) {
    loop.run([&] {
      FiberGroup group;
      for (int i = 0; i < 100; ++i) group.spawn("member", [&] { ++runs; });
      group.join().value();
    });
    loop.advance(5s);
  }
  EXPECT_EQ(runs, 400);
}

TEST(SchedulerDeathTest, DestructionWithAFiberAliveAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.start("stays", [] {
          Wait wait({"nothing"});
          static_cast<void>(wait.park());
        });
        loop.run_until_idle();
      },
      "a scheduler was destroyed while a fiber was alive");
}

TEST(SchedulerDeathTest, AFiberThatTurnsItsOwnLoopAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([&] { loop.scheduler().turn(false); });
      },
      "a fiber cannot turn its own scheduler's loop");
}

}  // namespace
}  // namespace atlas
