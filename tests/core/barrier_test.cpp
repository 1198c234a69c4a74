#include <atlas/core/barrier.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

TEST(Barrier, LetsItsPartiesPassTogetherAgainAndAgain) {
  TestLoop loop;
  loop.run([] {
    Barrier barrier(3);
    int arrived = 0;
    int last = 0;
    FiberGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn("party", [&, i] {
        for (int round = 1; round <= 4; ++round) {
          this_fiber::sleep_for(1s * i).value();
          ++arrived;
          if (barrier.arrive_and_wait().value()) ++last;
          EXPECT_GE(arrived, 3 * round);
        }
      });
    }
    group.join().value();
    EXPECT_EQ(arrived, 12);
    EXPECT_EQ(last, 4);
  });
}

TEST(Barrier, OfOneNeverWaits) {
  TestLoop loop;
  loop.run([] {
    Barrier barrier(1);
    EXPECT_TRUE(barrier.arrive_and_wait().value());
    EXPECT_TRUE(barrier.arrive_and_wait().value());
  });
}

TEST(Barrier, WhoGivesUpAtItsDeadlineNoLongerCounts) {
  TestLoop loop;
  loop.run([] {
    Barrier barrier(2);
    EXPECT_EQ(barrier.arrive_and_wait(Deadline::after(1s)).error(), std::errc::timed_out);
    Caller first([&] { return barrier.arrive_and_wait(); });
    EXPECT_TRUE(first.waits());
    EXPECT_TRUE(barrier.arrive_and_wait().value());
    EXPECT_FALSE(first.error());
  });
}

TEST(Barrier, WhoIsCancelledNoLongerCounts) {
  TestLoop loop;
  loop.run([] {
    Barrier barrier(2);
    Caller cancelled([&] { return barrier.arrive_and_wait(); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.error(), std::errc::operation_canceled);
    Caller first([&] { return barrier.arrive_and_wait(); });
    EXPECT_TRUE(first.waits());
    EXPECT_TRUE(barrier.arrive_and_wait());
    EXPECT_FALSE(first.error());
  });
}

TEST(Barrier, TheLastArrivalInTheTurnOfACancellationCounts) {
  TestLoop loop;
  loop.run([] {
    Barrier barrier(3);
    Caller first([&] { return barrier.arrive_and_wait(); });
    Caller second([&] { return barrier.arrive_and_wait(); });
    first.cancel();
    EXPECT_TRUE(barrier.arrive_and_wait().value());
    second.cancel();
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
  });
}

TEST(Barrier, AnExceptionAfterTheBarrierDoesNotHoldUpTheOthers) {
  TestLoop loop;
  loop.run([] {
    Barrier barrier(2);
    auto thrower = spawn("thrower", [&] {
      barrier.arrive_and_wait().value();
      throw std::runtime_error("failed");
    });
    EXPECT_TRUE(barrier.arrive_and_wait());
    EXPECT_THROW(thrower.join().value(), std::runtime_error);
  });
}

TEST(Barrier, MayBeDestroyedByWhoeverPassed) {
  TestLoop loop;
  loop.run([] {
    auto barrier = std::make_unique<Barrier>(2);
    Caller caller([&] {
      auto passed = barrier->arrive_and_wait();
      barrier.reset();
      return passed;
    });
    EXPECT_TRUE(barrier->arrive_and_wait());
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(barrier, nullptr);
  });
}

TEST(Barrier, KeepsWorkersInStep) {
  constexpr int workers = 3;
  Barrier barrier(workers);
  std::atomic<int> arrived = 0;
  std::atomic<int> last = 0;
  on_workers(workers, [&](int) {
    for (int round = 1; round <= 200; ++round) {
      ++arrived;
      if (barrier.arrive_and_wait().value()) ++last;
      EXPECT_GE(arrived, workers * round);
      EXPECT_LE(arrived, workers * round + workers);
    }
  });
  EXPECT_EQ(last, 200);
}

TEST(Barrier, TimeOutsThatRaceWithArrivalsKeepTheCount) {
  Barrier barrier(2);
  std::atomic<int> passed = 0;
  std::atomic<int> last = 0;
  on_workers(3, [&](int) {
    for (int round = 0; round < 300; ++round) {
      const auto arrived = barrier.arrive_and_wait(Deadline::after(50us * (round % 5)));
      if (!arrived) continue;
      ++passed;
      if (*arrived) ++last;
    }
  });
  EXPECT_EQ(passed, 2 * last);
}

TEST(BarrierDeathTest, DestructionWhileAFiberWaitsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto barrier = std::make_unique<Barrier>(2);
          const Caller caller([&] { return barrier->arrive_and_wait(); });
          barrier.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

TEST(BarrierDeathTest, OfNobodyAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Barrier(0), "a barrier is for one fiber at least");
}

}  // namespace
}  // namespace atlas
