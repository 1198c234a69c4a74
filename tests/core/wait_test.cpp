#include <atlas/core/wait.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::ManualDriver;
using testing::TestLoop;

/// A fiber that parks once, seen from outside.
struct Sleeper {
  Waker waker;
  std::optional<WaitOutcome> outcome;

  void start(TestLoop& loop, Deadline deadline = {}) {
    loop.start("sleeper", [this, deadline] {
      Wait wait({"test"});
      waker = wait.waker();
      outcome = wait.park(deadline);
    });
    loop.run_until_idle();
  }
};

TEST(Wait, ReturnsTheValueOfItsWaker) {
  TestLoop loop;
  Sleeper sleeper;
  sleeper.start(loop);
  EXPECT_FALSE(sleeper.outcome);
  EXPECT_TRUE(sleeper.waker.pending());
  EXPECT_TRUE(sleeper.waker.wake(42));
  loop.run_until_idle();
  EXPECT_TRUE(sleeper.outcome->woken());
  EXPECT_EQ(sleeper.outcome->value, 42);
  EXPECT_FALSE(sleeper.outcome->error());
}

TEST(Wait, AWakeBeforeTheParkCounts) {
  TestLoop loop;
  loop.run([] {
    Wait wait({"test"});
    EXPECT_TRUE(wait.waker().wake(7));
    const auto outcome = wait.park();
    EXPECT_TRUE(outcome.woken());
    EXPECT_EQ(outcome.value, 7);
  });
}

TEST(Wait, OnlyTheFirstOfAllCopiesOfAWakerCounts) {
  TestLoop loop;
  loop.run([] {
    Wait wait({"test"});
    const Waker first = wait.waker();
    const Waker second = first;
    EXPECT_TRUE(first.wake(1));
    EXPECT_FALSE(second.wake(2));
    EXPECT_FALSE(first.pending());
    EXPECT_EQ(wait.park().value, 1);
  });
}

TEST(Wait, AWakerWithoutAWaitDoesNothing) {
  const Waker waker;
  EXPECT_FALSE(waker.pending());
  EXPECT_FALSE(waker.wake());
  EXPECT_FALSE(waker.wake_queued());
}

TEST(Wait, AWakeFromACallbackRunsTheFiberBeforeItReturns) {
  TestLoop loop;
  Sleeper sleeper;
  sleeper.start(loop);
  bool ran_within = false;
  loop.scheduler().inbox()->post([&] {
    sleeper.waker.wake();
    ran_within = sleeper.outcome.has_value();
  });
  loop.run_until_idle();
  EXPECT_TRUE(ran_within);
}

TEST(Wait, AQueuedWakeFromACallbackRunsTheFiberLater) {
  TestLoop loop;
  Sleeper sleeper;
  sleeper.start(loop);
  bool ran_within = true;
  loop.scheduler().inbox()->post([&] {
    sleeper.waker.wake_queued();
    ran_within = sleeper.outcome.has_value();
  });
  loop.run_until_idle();
  EXPECT_FALSE(ran_within);
  EXPECT_TRUE(sleeper.outcome);
}

TEST(Wait, AWakeFromAnotherFiberRunsTheFiberLater) {
  TestLoop loop;
  Sleeper sleeper;
  sleeper.start(loop);
  loop.run([&] {
    sleeper.waker.wake();
    EXPECT_FALSE(sleeper.outcome);
    this_fiber::yield();
    EXPECT_TRUE(sleeper.outcome);
  });
}

TEST(Wait, TimesOutAtItsDeadline) {
  TestLoop loop;
  Sleeper sleeper;
  sleeper.start(loop, Deadline(loop.now() + 1s));
  loop.advance(999ms);
  EXPECT_FALSE(sleeper.outcome);
  loop.advance(1ms);
  EXPECT_EQ(sleeper.outcome->error(), std::errc::timed_out);
}

TEST(Wait, ADeadlineInThePastDoesNotSuspend) {
  TestLoop loop;
  loop.run([&] {
    Wait wait({"test"});
    EXPECT_EQ(wait.park(Deadline(loop.now())).error(), std::errc::timed_out);
  });
}

TEST(Wait, AWakeThatCameBeforeAnExpiredDeadlineCounts) {
  TestLoop loop;
  loop.run([&] {
    Wait wait({"test"});
    wait.waker().wake(3);
    EXPECT_EQ(wait.park(Deadline(loop.now())).value, 3);
  });
}

TEST(Wait, ALateWakerDoesNothingAfterATimeout) {
  TestLoop loop;
  Sleeper sleeper;
  sleeper.start(loop, Deadline(loop.now() + 1s));
  loop.advance(1s);
  EXPECT_FALSE(sleeper.waker.pending());
  EXPECT_FALSE(sleeper.waker.wake(5));
  loop.run_until_idle();
  EXPECT_EQ(sleeper.outcome->error(), std::errc::timed_out);
}

TEST(Wait, ALateWakerDoesNotEndTheNextWaitOfTheSameFiber) {
  TestLoop loop;
  loop.run([] {
    Waker late;
    {
      Wait first({"first"});
      late = first.waker();
      EXPECT_EQ(first.park(Deadline::after(1s)).error(), std::errc::timed_out);
    }
    Wait second({"second"});
    EXPECT_FALSE(late.wake());
    EXPECT_EQ(second.park(Deadline::after(1s)).error(), std::errc::timed_out);
  });
}

TEST(Wait, AWakerOfAnEarlierFiberDoesNothingToTheNextOnItsRecord) {
  TestLoop loop;
  Sleeper earlier;
  earlier.start(loop);
  earlier.waker.wake();
  loop.run_until_idle();
  Sleeper later;
  later.start(loop);  // takes the record over: it was freed last
  EXPECT_FALSE(earlier.waker.wake());
  loop.run_until_idle();
  EXPECT_FALSE(later.outcome);
  later.waker.wake();
  loop.run_until_idle();
}

TEST(Wait, MayParkAgainWithTheSameWakersAfterATimeout) {
  TestLoop loop;
  loop.run([&] {
    Wait wait({"test"});
    auto helper = spawn("helper", [waker = wait.waker()] {
      this_fiber::sleep_for(90ms).value();
      waker.wake(9);
    });
    int timeouts = 0;
    WaitOutcome outcome;
    while (!(outcome = wait.park(Deadline::after(20ms))).woken()) ++timeouts;
    EXPECT_EQ(timeouts, 4);
    EXPECT_EQ(outcome.value, 9);
  });
}

TEST(Wait, AWakeAfterACancellationInTheSameTurnStillCounts) {
  TestLoop loop;
  loop.run([&] {
    std::optional<WaitOutcome> outcome;
    Waker waker;
    auto fiber = spawn("sleeper", [&] {
      Wait wait({"test"});
      waker = wait.waker();
      outcome = wait.park();
    });
    this_fiber::yield();
    fiber.cancel();
    EXPECT_TRUE(waker.wake(4));
    fiber.join().value();
    EXPECT_TRUE(outcome->woken());
    EXPECT_EQ(outcome->value, 4);
  });
}

TEST(Wait, ACancellationInTheTurnOfAWakeIsSeenAtTheNextWait) {
  TestLoop loop;
  loop.run([&] {
    std::vector<WaitStatus> seen;
    Waker waker;
    auto fiber = spawn("sleeper", [&] {
      {
        Wait wait({"first"});
        waker = wait.waker();
        seen.push_back(wait.park().status);
      }
      Wait wait({"second"});
      seen.push_back(wait.park().status);
    });
    this_fiber::yield();
    waker.wake();
    fiber.cancel();
    fiber.join().value();
    EXPECT_EQ(seen, (std::vector<WaitStatus>{WaitStatus::woken, WaitStatus::cancelled}));
  });
}

TEST(Wait, AWakeAndATimeoutInTheSameTurnWakeOnce) {
  TestLoop loop;
  Sleeper sleeper;
  int resumed = 0;
  loop.start("sleeper", [&] {
    Wait wait({"test"});
    sleeper.waker = wait.waker();
    sleeper.outcome = wait.park(Deadline::after(1s));
    ++resumed;
  });
  loop.run_until_idle();
  // Due in the same turn: the inbox comes before the timers.
  loop.driver().advance(1s);
  loop.scheduler().inbox()->post([&] { sleeper.waker.wake_queued(6); });
  loop.run_until_idle();
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(sleeper.outcome->value, 6);
}

TEST(Wait, TellsItsReasonWhileItLasts) {
  TestLoop loop;
  Sleeper sleeper;
  int object = 0;
  const detail::FiberRecord* record = nullptr;
  loop.start("sleeper", [&] {
    record = loop.scheduler().running();
    Wait wait({"a letter", &object});
    sleeper.waker = wait.waker();
    sleeper.outcome = wait.park();
  });
  loop.run_until_idle();
  EXPECT_STREQ(record->reason.text, "a letter");
  EXPECT_EQ(record->reason.object, &object);
  sleeper.waker.wake();
  loop.run_until_idle();
}

class CountingHook final : public SuspendHook {
 public:
  void before_suspend() noexcept override { ++calls; }
  int calls = 0;
};

TEST(Wait, CallsTheSuspendHookOnlyWhenItSuspends) {
  TestLoop loop;
  loop.run([&] {
    CountingHook hook;
    loop.scheduler().running()->suspend_hook = &hook;
    {
      Wait wait({"test"});
      wait.waker().wake();
      static_cast<void>(wait.park());
    }
    EXPECT_EQ(hook.calls, 0);
    this_fiber::yield();
    EXPECT_EQ(hook.calls, 1);
    this_fiber::sleep_for(1s).value();
    EXPECT_EQ(hook.calls, 2);
    loop.scheduler().running()->suspend_hook = nullptr;
  });
}

TEST(RemoteWaker, WakesFromAnotherThread) {
  TestLoop loop;
  loop.run([] {
    Wait wait({"test"});
    std::thread([remote = wait.remote_waker()] { remote.wake(11); }).join();
    EXPECT_EQ(wait.park().value, 11);
  });
}

TEST(RemoteWaker, DoesNothingAfterTheWaitHasEnded) {
  TestLoop loop;
  loop.run([] {
    RemoteWaker remote;
    {
      Wait wait({"test"});
      remote = wait.remote_waker();
    }
    remote.wake(1);
    Wait wait({"another"});
    EXPECT_EQ(wait.park(Deadline::after(1s)).error(), std::errc::timed_out);
  });
}

TEST(RemoteWaker, DoesNothingAfterTheSchedulerHasEnded) {
  RemoteWaker remote;
  {
    TestLoop loop;
    loop.run([&] {
      Wait wait({"test"});
      remote = wait.remote_waker();
    });
  }
  remote.wake(1);
}

TEST(WaitDeathTest, OpeningTwoAtOnceAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          const Wait first({"first"});
          const Wait second({"second"});
        });
      },
      "a wait was opened while another is open");
}

}  // namespace
}  // namespace atlas
