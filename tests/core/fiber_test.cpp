#include <atlas/core/fiber.hpp>

#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

/// Waits for what never comes; the error that ended the wait.
std::error_code wait_for_ever(Deadline deadline = {}) {
  Wait wait({"nothing"});
  return wait.park(deadline).error();
}

TEST(Fiber, RunsWhenItsTurnComes) {
  TestLoop loop;
  std::vector<int> order;
  loop.run([&] {
    auto fiber = spawn("child", [&] { order.push_back(2); });
    order.push_back(1);
    fiber.join().value();
    order.push_back(3);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Fiber, IsDoneAfterItsEnd) {
  TestLoop loop;
  loop.run([] {
    auto fiber = spawn("child", [] {});
    EXPECT_FALSE(fiber.done());
    this_fiber::yield();
    EXPECT_TRUE(fiber.done());
    EXPECT_TRUE(fiber.joinable());
    fiber.join().value();
    EXPECT_FALSE(fiber.joinable());
  });
}

TEST(Fiber, JoinRethrowsTheExceptionThatEndedIt) {
  TestLoop loop;
  loop.run([] {
    auto fiber = spawn("child", [] { throw std::runtime_error("child failed"); });
    try {
      static_cast<void>(fiber.join());
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "child failed");
    }
    EXPECT_FALSE(fiber.joinable());
  });
}

TEST(Fiber, JoinGivesUpAtItsDeadlineAndMayBeCalledAgain) {
  TestLoop loop;
  loop.run([] {
    auto fiber = spawn("child", [] { this_fiber::sleep_for(10s).value(); });
    EXPECT_EQ(fiber.join(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_TRUE(fiber.joinable());
    EXPECT_FALSE(fiber.done());
    EXPECT_TRUE(fiber.join());
  });
}

TEST(Fiber, JoinIsCancelledAndTheFiberGoesOn) {
  TestLoop loop;
  loop.run([] {
    auto fiber = spawn("child", [] { this_fiber::sleep_for(10s).value(); });
    Caller joiner([&] { return fiber.join(); });
    joiner.cancel();
    EXPECT_EQ(joiner.error(), std::errc::operation_canceled);
    EXPECT_FALSE(fiber.done());
    EXPECT_TRUE(fiber.join());
  });
}

TEST(Fiber, AnEndInTheTurnOfACancellationOfTheJoinerCounts) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      auto fiber = spawn("child", [] { this_fiber::yield(); });
      Caller joiner([&] { return fiber.join(); });
      if (cancel_first) joiner.cancel();
      this_fiber::yield();  // the fiber ends, and wakes its joiner
      if (!cancel_first) joiner.cancel();
      EXPECT_FALSE(joiner.error());
      EXPECT_FALSE(fiber.joinable());
    }
  });
}

TEST(Fiber, AnEndInTheTurnOfATimeOutOfTheJoinerCounts) {
  TestLoop loop;
  loop.run([] {
    auto fiber = spawn("child", [] { this_fiber::sleep_for(1s).value(); });
    this_fiber::yield();  // its timer comes first
    EXPECT_TRUE(fiber.join(Deadline::after(1s)));
  });
}

TEST(Fiber, DestructionCancelsAndWaits) {
  TestLoop loop;
  std::error_code seen;
  bool ended = false;
  loop.run([&] {
    {
      const auto fiber = spawn("child", [&] {
        seen = wait_for_ever();
        this_fiber::yield();
        ended = true;
      });
      this_fiber::yield();
    }
    EXPECT_TRUE(ended);
  });
  EXPECT_EQ(seen, std::errc::operation_canceled);
}

TEST(Fiber, DestructionWaitsEvenWhenTheOwnerIsCancelledAndOverdue) {
  TestLoop loop;
  bool ended = false;
  loop.run([&] {
    auto owner = spawn("owner", [&] {
      auto child = spawn("child", [&] {
        const CancellationShield shield;
        this_fiber::sleep_for(5s).value();
        ended = true;
      });
      this_fiber::yield();
      const DeadlineScope overdue(Duration::zero());
      const auto destroyed_first = std::move(child);
    });
    owner.cancel();
    owner.join().value();
  });
  EXPECT_TRUE(ended);
}

TEST(Fiber, DestructionSwallowsTheExceptionOfTheFiber) {
  TestLoop loop;
  loop.run([] {
    const auto fiber = spawn("child", [] {
      wait_for_ever();
      throw std::runtime_error("on the way out");
    });
    this_fiber::yield();
  });
}

TEST(Fiber, HandleOfADoneFiberMayBeDestroyedOutsideOfFibers) {
  TestLoop loop;
  Fiber fiber;
  loop.run([&] {
    fiber = spawn("child", [] {});
    this_fiber::yield();
  });
  EXPECT_TRUE(fiber.done());
  fiber = Fiber();
  EXPECT_EQ(loop.scheduler().fibers_alive(), 0U);
}

TEST(Fiber, MoveAssignmentEndsTheFormerFiber) {
  TestLoop loop;
  loop.run([] {
    std::error_code seen;
    auto fiber = spawn("first", [&] { seen = wait_for_ever(); });
    this_fiber::yield();
    fiber = spawn("second", [] {});
    EXPECT_EQ(seen, std::errc::operation_canceled);
    fiber.join().value();
  });
}

TEST(Fiber, KnowsItsName) {
  TestLoop loop;
  std::string name;
  loop.run([&] { spawn("client 7", [&] { name = this_fiber::name(); }).join().value(); });
  EXPECT_EQ(name, "client 7");
}

TEST(Fiber, CutsLongNamesAt31Bytes) {
  TestLoop loop;
  std::string name;
  loop.run([&] { spawn(std::string(100, 'x'), [&] { name = this_fiber::name(); }).join().value(); });
  EXPECT_EQ(name, std::string(31, 'x'));
}

TEST(Fiber, YieldLetsTheOthersRunInTheirOrder) {
  TestLoop loop;
  std::string order;
  loop.run([&] {
    FiberGroup group;
    for (const char letter : {'a', 'b', 'c'}) {
      group.spawn("letter", [&order, letter] {
        for (int i = 0; i < 3; ++i) {
          order += letter;
          this_fiber::yield();
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(order, "abcabcabc");
}

TEST(Fiber, DestroysWhatItsBodyCapturedBeforeTheJoinReturns) {
  TestLoop loop;
  loop.run([] {
    const auto token = std::make_shared<int>();
    spawn("child", [token] {}).join().value();
    EXPECT_EQ(token.use_count(), 1);
  });
}

TEST(Fiber, ReusesRecordsAndStacks) {
  TestLoop loop;
  loop.run([&] {
    for (int i = 0; i < 1000; ++i) spawn("child", [] {}).join().value();
    EXPECT_EQ(loop.scheduler().stack_slabs(), 1U);
    EXPECT_EQ(loop.scheduler().fibers_alive(), 1U);
    EXPECT_EQ(loop.scheduler().fibers_started(), 1001U);
  });
}

TEST(Fiber, ExceptionsInFlightStayWithTheirFiber) {
  TestLoop loop;
  std::vector<std::string> seen;
  loop.run([&] {
    FiberGroup group;
    for (const char* message : {"first", "second", "third"}) {
      group.spawn("thrower", [&seen, message] {
        try {
          throw std::runtime_error(message);
        } catch (const std::runtime_error&) {
          this_fiber::yield();
          try {
            throw;
          } catch (const std::runtime_error& error) {
            seen.emplace_back(error.what());
          }
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"first", "second", "third"}));
}

TEST(Cancellation, EndsThePresentWait) {
  TestLoop loop;
  loop.run([] {
    std::error_code seen;
    auto fiber = spawn("child", [&] { seen = wait_for_ever(); });
    this_fiber::yield();
    fiber.cancel();
    fiber.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(Cancellation, IsSeenAtTheNextWaitAndAtAllLaterOnes) {
  TestLoop loop;
  loop.run([] {
    std::vector<std::error_code> seen;
    auto fiber = spawn("child", [&] {
      this_fiber::yield();
      EXPECT_TRUE(this_fiber::cancelled());
      for (int i = 0; i < 3; ++i) seen.push_back(this_fiber::sleep_for(1s).error());
    });
    this_fiber::yield();
    fiber.cancel();
    fiber.join().value();
    EXPECT_EQ(seen, std::vector<std::error_code>(3, std::make_error_code(std::errc::operation_canceled)));
  });
}

TEST(Cancellation, ReachesAFiberThatHasNotRunYet) {
  TestLoop loop;
  loop.run([] {
    std::error_code seen;
    auto fiber = spawn("child", [&] { seen = wait_for_ever(); });
    fiber.cancel();
    fiber.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(Cancellation, DoesNotReachTheNextFiberOnTheSameRecord) {
  TestLoop loop;
  loop.run([] {
    {
      auto fiber = spawn("first", [] {});
      this_fiber::yield();
      fiber.cancel();  // too late: it has ended
      fiber.join().value();
    }
    EXPECT_TRUE(spawn("second", [] { this_fiber::sleep_for(1s).value(); }).join());
  });
}

TEST(Cancellation, IsKeptBackByAShieldAndSeenAfterIt) {
  TestLoop loop;
  loop.run([] {
    bool slept = false;
    std::error_code after;
    auto fiber = spawn("child", [&] {
      {
        const CancellationShield shield;
        slept = this_fiber::sleep_for(1s).has_value();
        EXPECT_FALSE(this_fiber::cancelled());
      }
      EXPECT_TRUE(this_fiber::cancelled());
      after = this_fiber::sleep_for(1s).error();
    });
    this_fiber::yield();
    fiber.cancel();
    fiber.join().value();
    EXPECT_TRUE(slept);
    EXPECT_EQ(after, std::errc::operation_canceled);
  });
}

TEST(Cancellation, IsSeenAfterAShieldThatAnExceptionEnds) {
  TestLoop loop;
  loop.run([] {
    std::error_code after;
    auto fiber = spawn("child", [&] {
      try {
        const CancellationShield shield;
        this_fiber::sleep_for(1s).value();
        throw std::runtime_error("failed");
      } catch (const std::runtime_error&) {
        after = this_fiber::sleep_for(1s).error();
      }
    });
    this_fiber::yield();
    fiber.cancel();
    fiber.join().value();
    EXPECT_EQ(after, std::errc::operation_canceled);
  });
}

TEST(Sleep, LastsAtLeastItsDuration) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    this_fiber::sleep_for(1500us).value();
    EXPECT_GE(loop.now() - before, 1500us);
    EXPECT_LE(loop.now() - before, 2500us);
  });
}

TEST(Sleep, IsCancelled) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    Caller sleeper([] { return this_fiber::sleep_for(1h); });
    sleeper.cancel();
    EXPECT_EQ(sleeper.error(), std::errc::operation_canceled);
    EXPECT_EQ(loop.now(), before);
  });
}

TEST(Sleep, ACancellationInTheTurnOfItsEndIsSeenThereOrAtTheNext) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      Fiber sleeper;
      auto canceller = spawn("canceller", [&] {
        if (!cancel_first) this_fiber::yield();
        this_fiber::sleep_for(1s).value();
        sleeper.cancel();
      });
      std::error_code first;
      std::error_code second;
      sleeper = spawn("sleeper", [&] {
        first = this_fiber::sleep_for(1s).error();
        this_fiber::yield();
        second = this_fiber::sleep_for(1s).error();
      });
      sleeper.join().value();
      canceller.join().value();
      EXPECT_EQ(first,
                cancel_first ? std::make_error_code(std::errc::operation_canceled) : std::error_code());
      EXPECT_EQ(second, std::errc::operation_canceled);
    }
  });
}

TEST(Sleep, EndsWithTheFiberThatIsDestroyed) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    for (int i = 0; i < 10; ++i) {
      const auto sleeper = spawn("sleeper", [] { static_cast<void>(this_fiber::sleep_for(1h)); });
      this_fiber::yield();
    }
    EXPECT_EQ(loop.now(), before);
  });
}

TEST(Sleep, IsOfEveryWorkerAtATime) {
  on_workers(3, [](int) {
    FiberGroup group;
    int slept = 0;
    for (int i = 0; i < 20; ++i) {
      group.spawn("sleeper", [&, i] {
        this_fiber::sleep_for(100us * i).value();
        ++slept;
      });
    }
    group.join().value();
    EXPECT_EQ(slept, 20);
  });
}

TEST(Sleep, ReturnsAtOnceForNoDuration) {
  TestLoop loop;
  loop.run([] {
    EXPECT_TRUE(this_fiber::sleep_for(0s));
    EXPECT_TRUE(this_fiber::sleep_for(-1s));
  });
}

TEST(Sleep, EndsEarlyAtTheDeadlineOfAScope) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    const DeadlineScope deadline(1s);
    EXPECT_EQ(this_fiber::sleep_for(5s).error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 1s);
  });
}

TEST(DeadlineScope, AnInnerScopeCannotExtendAnOuterOne) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    const DeadlineScope outer(1s);
    const DeadlineScope inner(10s);
    EXPECT_EQ(wait_for_ever(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 1s);
  });
}

TEST(DeadlineScope, AnInnerScopeShortensAndEnds) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    const DeadlineScope outer(10s);
    {
      const DeadlineScope inner(1s);
      EXPECT_EQ(wait_for_ever(), std::errc::timed_out);
    }
    EXPECT_EQ(loop.now() - before, 1s);
    EXPECT_EQ(wait_for_ever(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 10s);
  });
}

TEST(DeadlineScope, TheEarlierOfTheScopesAndTheCallsDeadlineCounts) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    const DeadlineScope scope(5s);
    EXPECT_EQ(wait_for_ever(Deadline::after(2s)), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 2s);
    EXPECT_EQ(wait_for_ever(Deadline::after(20s)), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 5s);
  });
}

TEST(DeadlineScope, EndsWithAnException) {
  TestLoop loop;
  loop.run([] {
    try {
      const DeadlineScope scope(1s);
      this_fiber::sleep_for(1h).value();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::timed_out);
    }
    EXPECT_TRUE(this_fiber::sleep_for(2s));
  });
}

TEST(DeadlineScope, IsInheritedByFibersSpawnedWithin) {
  TestLoop loop;
  loop.run([&] {
    Fiber fiber;
    {
      const DeadlineScope scope(1s);
      fiber = spawn("child", [] { EXPECT_EQ(this_fiber::sleep_for(1h).error(), std::errc::timed_out); });
      EXPECT_EQ(wait_for_ever(), std::errc::timed_out);
    }
    fiber.join().value();
  });
}

TEST(Deadline, TooFarToRepresentIsNever) {
  TestLoop loop;
  loop.run([] {
    EXPECT_TRUE(Deadline::after(Duration::max()).is_never());
    EXPECT_FALSE(Deadline::after(24h * 36500).is_never());
  });
}

TEST(FiberDeathTest, ABlockingCallOutsideOfAFiberAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(wait_for_ever(), "a blocking call was made outside of a fiber");
}

TEST(FiberDeathTest, AnExceptionThatNobodyJoinsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.start("alone", [] { throw std::runtime_error("unseen"); });
        loop.run_until_idle();
      },
      "an exception left fiber 'alone', which nobody joins: unseen");
}

}  // namespace
}  // namespace atlas
