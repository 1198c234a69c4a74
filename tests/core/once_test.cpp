#include <atlas/core/once.hpp>

#include <atlas/core/event.hpp>
#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

TEST(Once, RunsItsTaskOnceAndTheOthersWaitForIt) {
  TestLoop loop;
  loop.run([] {
    Once once;
    int runs = 0;
    FiberGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn("caller", [&] {
        once.call([&] {
              this_fiber::sleep_for(1s).value();
              ++runs;
            })
            .value();
        EXPECT_EQ(runs, 1);
        EXPECT_TRUE(once.done());
      });
    }
    EXPECT_FALSE(once.done());
    group.join().value();
  });
}

TEST(Once, AnExceptionComesOutAndTheNextCallerTries) {
  TestLoop loop;
  loop.run([] {
    Once once;
    auto first = spawn("first", [&] {
      const auto failing = [] {
        this_fiber::yield();
        throw std::runtime_error("failed");
      };
      EXPECT_THROW(static_cast<void>(once.call(failing)), std::runtime_error);
    });
    this_fiber::yield();
    int runs = 0;
    EXPECT_TRUE(once.call([&] { ++runs; }));
    EXPECT_TRUE(once.call([&] { ++runs; }));
    EXPECT_EQ(runs, 1);
    first.join().value();
  });
}

TEST(Once, WaitingForAnotherGivesUpAtTheDeadlineOrWhenCancelled) {
  TestLoop loop;
  loop.run([] {
    Once once;
    Caller runner([&] { return once.call([] { this_fiber::sleep_for(1h).value(); }); });
    Caller late([&] { return once.call([] {}, Deadline::after(1s)); });
    Caller cancelled([&] { return once.call([] {}); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.error(), std::errc::operation_canceled);
    EXPECT_EQ(late.error(), std::errc::timed_out);
    EXPECT_FALSE(runner.error());
  });
}

TEST(Once, TheEndOfTheTaskInTheTurnOfACancellationCounts) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      Once once;
      local::Event go;
      std::optional<Caller> waiting;
      Caller runner([&] {
        auto called = once.call([&] { go.wait().value(); });
        if (!cancel_first) waiting->cancel();
        return called;
      });
      waiting.emplace([&] { return once.call([] { ADD_FAILURE() << "run twice"; }); });
      EXPECT_TRUE(waiting->waits());
      go.set();
      if (cancel_first) waiting->cancel();  // it is behind the runner in the run queue
      EXPECT_FALSE(waiting->error());
      EXPECT_FALSE(runner.error());
    }
  });
}

TEST(Once, ATaskThatIsCancelledLeavesItToTheNext) {
  TestLoop loop;
  loop.run([] {
    Once once;
    Caller runner([&]() -> Result<void> {
      try {
        return once.call([] { this_fiber::sleep_for(1h).value(); });
      } catch (const std::system_error& error) {
        return Unexpected(error.code());
      }
    });
    Caller next([&] { return once.call([] {}); });
    runner.cancel();
    EXPECT_EQ(runner.error(), std::errc::operation_canceled);
    EXPECT_FALSE(next.error());
    EXPECT_TRUE(once.done());
  });
}

TEST(Once, MayBeDestroyedByItsLastCaller) {
  TestLoop loop;
  loop.run([] {
    auto once = std::make_unique<Once>();
    local::Event go;
    Caller runner([&] { return once->call([&] { go.wait().value(); }); });
    Caller last([&] {
      auto called = once->call([] {});
      once.reset();
      return called;
    });
    EXPECT_TRUE(last.waits());
    go.set();
    EXPECT_FALSE(runner.error());
    EXPECT_FALSE(last.error());
    EXPECT_EQ(once, nullptr);
  });
}

TEST(Once, RunsOnceForAllWorkers) {
  for (int round = 0; round < 20; ++round) {
    Once once;
    int runs = 0;
    on_workers(3, [&](int) {
      FiberGroup group;
      for (int i = 0; i < 3; ++i) {
        group.spawn("caller", [&] {
          once.call([&] {
                this_fiber::yield();
                ++runs;
              })
              .value();
          EXPECT_EQ(runs, 1);
        });
      }
      group.join().value();
    });
  }
}

TEST(OnceDeathTest, DestructionDuringACallAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto once = std::make_unique<Once>();
          const Caller caller([&] { return once->call([] { this_fiber::sleep_for(1h).value(); }); });
          once.reset();
        });
      },
      "a mutex was destroyed while it is held");
}

}  // namespace
}  // namespace atlas
