#include <atlas/core/future.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

TEST(Future, GivesTheValueThatWasPromised) {
  TestLoop loop;
  loop.run([] {
    Promise<std::unique_ptr<int>> promise;
    auto future = promise.future();
    EXPECT_TRUE(future.valid());
    EXPECT_FALSE(future.ready());
    promise.set_value(std::make_unique<int>(3));
    EXPECT_TRUE(future.ready());
    EXPECT_EQ(*future.get().value(), 3);
    EXPECT_FALSE(future.valid());
    EXPECT_FALSE(future.ready());
  });
}

TEST(Future, WaitsForItsValue) {
  TestLoop loop;
  loop.run([] {
    Promise<std::string> promise;
    auto future = promise.future();
    std::string got;
    auto waiting = spawn("waiting", [&] { got = future.get().value(); });
    this_fiber::yield();
    EXPECT_FALSE(waiting.done());
    promise.set_value(3, 'x');
    waiting.join().value();
    EXPECT_EQ(got, "xxx");
  });
}

TEST(Future, OfVoidTellsThatSomethingIsDone) {
  TestLoop loop;
  loop.run([] {
    Promise<void> promise;
    auto future = promise.future();
    promise.set_value();
    EXPECT_TRUE(future.get());
  });
}

TEST(Future, RethrowsTheException) {
  TestLoop loop;
  loop.run([] {
    Promise<int> promise;
    auto future = promise.future();
    promise.set_exception(std::make_exception_ptr(std::out_of_range("far")));
    EXPECT_THROW(static_cast<void>(future.get()), std::out_of_range);
    EXPECT_FALSE(future.valid());
  });
}

TEST(Future, TellsThatItsPromiseWasBroken) {
  TestLoop loop;
  loop.run([] {
    Future<int> future;
    {
      Promise<int> promise;
      future = promise.future();
      promise = Promise<int>();
      EXPECT_TRUE(future.ready());
    }
    const auto result = future.get();
    EXPECT_EQ(result.error(), std::future_errc::broken_promise);
    EXPECT_EQ(result.error().message(), "Broken promise");
  });
}

struct ThrowsWhenMade {
  explicit ThrowsWhenMade(bool throws) {
    if (throws) throw std::runtime_error("not made");
  }
};

TEST(Future, AValueThatCannotBeMadeLeavesThePromiseToBeKept) {
  TestLoop loop;
  loop.run([] {
    Promise<ThrowsWhenMade> promise;
    auto future = promise.future();
    EXPECT_THROW(promise.set_value(true), std::runtime_error);
    EXPECT_FALSE(future.ready());
    promise.set_value(false);
    EXPECT_TRUE(future.get());
  });
}

TEST(Future, GivesUpAtItsDeadlineAndMayBeAskedAgain) {
  TestLoop loop;
  loop.run([&] {
    Promise<int> promise;
    auto future = promise.future();
    const TimePoint before = loop.now();
    EXPECT_EQ(future.get(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 1s);
    promise.set_value(1);
    EXPECT_EQ(future.get().value(), 1);
  });
}

TEST(Future, CancellationEndsTheWait) {
  TestLoop loop;
  loop.run([] {
    Promise<int> promise;
    auto future = promise.future();
    Caller caller([&] { return future.get(); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_TRUE(future.valid());
  });
}

TEST(Future, AValueInTheTurnOfACancellationCounts) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      Promise<int> promise;
      auto future = promise.future();
      Caller caller([&] { return future.get(); });
      if (cancel_first) caller.cancel();
      promise.set_value(1);
      if (!cancel_first) caller.cancel();
      EXPECT_FALSE(caller.error());
    }
  });
}

TEST(Future, MayBeDestroyedBeforeItsPromiseIsKept) {
  TestLoop loop;
  loop.run([] {
    const auto token = std::make_shared<int>();
    {
      Promise<std::shared_ptr<int>> promise;
      static_cast<void>(promise.future());
      promise.set_value(token);
    }
    EXPECT_EQ(token.use_count(), 1);
  });
}

TEST(Future, TravelsFromWorkerToWorker) {
  for (int round = 0; round < 100; ++round) {
    Promise<std::unique_ptr<int>> promise;
    auto future = promise.future();
    on_workers(2, [&](int worker) {
      if (worker == 0) {
        Promise<std::unique_ptr<int>>(std::move(promise)).set_value(std::make_unique<int>(round));
      } else {
        EXPECT_EQ(*future.get().value(), round);
      }
    });
  }
}

TEST(Future, IsKeptOrBrokenByThreadsWithoutFibers) {
  for (int round = 0; round < 50; ++round) {
    Promise<int> promise;
    auto future = promise.future();
    std::thread thread([promise = std::move(promise), round]() mutable {
      if (round % 2 == 0) promise.set_value(round);
    });
    run_event_loop([&] {
      const auto result = future.get(Deadline::after(10s));
      if (round % 2 == 0) {
        EXPECT_EQ(result.value(), round);
      } else {
        EXPECT_EQ(result.error(), std::future_errc::broken_promise);
      }
    });
    thread.join();
  }
}

TEST(FutureDeathTest, KeepingAPromiseTwiceAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Promise<int> promise;
        promise.set_value(1);
        promise.set_value(2);
      },
      "a promise is kept once");
}

TEST(FutureDeathTest, ASecondFutureAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Promise<int> promise;
        static_cast<void>(promise.future());
        static_cast<void>(promise.future());
      },
      "a promise has one future");
}

TEST(FutureDeathTest, AskingAnEmptyOneAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(static_cast<void>(Future<int>().get()), "a future gives its result once");
}

}  // namespace
}  // namespace atlas
