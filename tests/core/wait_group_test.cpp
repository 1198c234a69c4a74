#include <atlas/core/wait_group.hpp>

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

TEST(WaitGroup, WaitsUntilAllIsDone) {
  TestLoop loop;
  loop.run([] {
    WaitGroup group(1);
    group.add(2);
    Caller first([&] { return group.wait(); });
    Caller second([&] { return group.wait(); });
    group.done();
    group.done();
    this_fiber::yield();
    EXPECT_TRUE(first.waits());
    group.done();
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
  });
}

TEST(WaitGroup, OfNothingDoesNotWait) {
  TestLoop loop;
  loop.run([] {
    WaitGroup group;
    EXPECT_TRUE(group.wait(Deadline::after(-1s)));
  });
}

TEST(WaitGroup, GivesUpAtItsDeadlineAndMayBeWaitedForAgain) {
  TestLoop loop;
  loop.run([] {
    WaitGroup group(1);
    EXPECT_EQ(group.wait(Deadline::after(1s)).error(), std::errc::timed_out);
    group.done();
    EXPECT_TRUE(group.wait());
  });
}

TEST(WaitGroup, CancellationEndsTheWait) {
  TestLoop loop;
  loop.run([] {
    WaitGroup group(1);
    Caller caller([&] { return group.wait(); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TEST(WaitGroup, TheLastDoneInTheTurnOfACancellationCounts) {
  TestLoop loop;
  loop.run([] {
    WaitGroup group(1);
    Caller first([&] { return group.wait(); });
    Caller second([&] { return group.wait(); });
    first.cancel();
    group.done();
    second.cancel();
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
  });
}

TEST(WaitGroup, AnExceptionOfOneWhoWaitsLeavesTheOthersWaiting) {
  TestLoop loop;
  loop.run([] {
    WaitGroup group(1);
    auto thrower = spawn("thrower", [&] { group.wait(Deadline::after(1s)).value(); });
    Caller caller([&] { return group.wait(); });
    EXPECT_THROW(thrower.join().value(), std::system_error);
    EXPECT_TRUE(caller.waits());
    group.done();
    EXPECT_FALSE(caller.error());
  });
}

TEST(WaitGroup, WaitsForFibersOfOtherWorkers) {
  constexpr int workers = 3;
  constexpr int fibers = 20;
  WaitGroup group(workers * fibers);
  std::atomic<int> done = 0;
  on_workers(workers, [&](int) {
    FiberGroup members;
    for (int i = 0; i < fibers; ++i) {
      members.spawn("member", [&] {
        this_fiber::yield();
        ++done;
        group.done();
      });
    }
    EXPECT_TRUE(group.wait());
    EXPECT_EQ(done, workers * fibers);
    members.join().value();
  });
}

TEST(WaitGroupDeathTest, DoneMoreOftenThanAddedAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(WaitGroup().done(), "more was done than was added to a wait group");
}

TEST(WaitGroupDeathTest, DestructionWhileAFiberWaitsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto group = std::make_unique<WaitGroup>(1);
          const Caller caller([&] { return group->wait(); });
          group.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

}  // namespace
}  // namespace atlas
