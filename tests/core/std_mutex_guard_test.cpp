#include <atlas/core/std_mutex_guard.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/mutex.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <mutex>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::on_workers;
using testing::TestLoop;

TEST(StdMutexGuard, HoldsForItsScope) {
  std::mutex mutex;
  {
    const StdMutexGuard guard(mutex);
    EXPECT_FALSE(std::unique_lock(mutex, std::try_to_lock).owns_lock());
  }
  EXPECT_TRUE(std::unique_lock(mutex, std::try_to_lock).owns_lock());
}

TEST(StdMutexGuard, LetsAFiberSuspendBeforeAndAfter) {
  TestLoop loop;
  loop.run([] {
    std::mutex mutex;
    this_fiber::yield();
    { const StdMutexGuard guard(mutex); }
    this_fiber::sleep_for(1s).value();
  });
}

TEST(StdMutexGuard, AllowsWhatNeedNotSuspend) {
  TestLoop loop;
  loop.run([] {
    std::mutex mutex;
    Mutex free;
    const StdMutexGuard guard(mutex);
    EXPECT_TRUE(free.lock());
  });
}

TEST(StdMutexGuard, ExcludesThreads) {
  std::mutex mutex;
  int sum = 0;
  on_workers(3, [&](int) {
    for (int i = 0; i < 1000; ++i) {
      {
        const StdMutexGuard guard(mutex);
        ++sum;
      }
      if (i % 100 == 0) this_fiber::yield();
    }
  });
  EXPECT_EQ(sum, 3000);
}

#ifndef NDEBUG  // others do not look

TEST(StdMutexGuardDeathTest, AWaitWithTheMutexHeldAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.start("client 7", [] {
          std::mutex mutex;
          const StdMutexGuard guard(mutex);
          static_cast<void>(this_fiber::sleep_for(1s));
        });
        loop.run_until_idle();
      },
      "fiber 'client 7' suspends \\('sleep'\\) while it holds a std::mutex");
}

TEST(StdMutexGuardDeathTest, AYieldWithTheMutexHeldAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.start("client 8", [] {
          std::mutex mutex;
          const StdMutexGuard guard(mutex);
          this_fiber::yield();
        });
        loop.run_until_idle();
      },
      "fiber 'client 8' suspends \\('yield'\\) while it holds a std::mutex");
}

#endif

}  // namespace
}  // namespace atlas
