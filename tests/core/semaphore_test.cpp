#include <atlas/core/semaphore.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

template <class Kind>
class SemaphoreTest : public ::testing::Test {
 protected:
  TestLoop loop;
};
using Kinds = ::testing::Types<Semaphore, local::Semaphore>;
TYPED_TEST_SUITE(SemaphoreTest, Kinds);

TYPED_TEST(SemaphoreTest, CountsItsPermits) {
  this->loop.run([] {
    TypeParam semaphore(2);
    EXPECT_TRUE(semaphore.acquire());
    EXPECT_EQ(semaphore.available(), 1U);
    EXPECT_TRUE(semaphore.try_acquire());
    EXPECT_FALSE(semaphore.try_acquire());
    semaphore.release(2);
    EXPECT_EQ(semaphore.available(), 2U);
  });
}

TYPED_TEST(SemaphoreTest, ReleaseServesThoseWhoWaitInTheirOrder) {
  this->loop.run([] {
    TypeParam semaphore(0);
    Caller first([&] { return semaphore.acquire(); });
    Caller second([&] { return semaphore.acquire(); });
    Caller third([&] { return semaphore.acquire(); });
    semaphore.release(2);
    EXPECT_FALSE(semaphore.try_acquire()) << "nobody overtakes";
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
    EXPECT_TRUE(third.waits());
    semaphore.release(2);
    EXPECT_FALSE(third.error());
    EXPECT_EQ(semaphore.available(), 1U);
  });
}

TYPED_TEST(SemaphoreTest, APermitIsReleasedAtTheEndOfItsScope) {
  this->loop.run([] {
    TypeParam semaphore(1);
    {
      const auto permit = semaphore.permit().value();
      EXPECT_EQ(semaphore.available(), 0U);
    }
    EXPECT_EQ(semaphore.available(), 1U);
  });
}

TYPED_TEST(SemaphoreTest, GivesUpAtItsDeadline) {
  this->loop.run([this] {
    TypeParam semaphore(0);
    const TimePoint before = this->loop.now();
    EXPECT_EQ(semaphore.acquire(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(semaphore.permit(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 2s);
    semaphore.release();
    EXPECT_EQ(semaphore.available(), 1U);
  });
}

TYPED_TEST(SemaphoreTest, CancellationEndsTheWait) {
  this->loop.run([] {
    TypeParam semaphore(0);
    Caller caller([&] { return semaphore.acquire(); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    semaphore.release();
    EXPECT_EQ(semaphore.available(), 1U);
  });
}

TYPED_TEST(SemaphoreTest, AReleaseInTheTurnOfACancellationCounts) {
  this->loop.run([] {
    TypeParam semaphore(0);
    Caller first([&] { return semaphore.acquire(); });
    Caller second([&] { return semaphore.acquire(); });
    first.cancel();
    semaphore.release(2);
    second.cancel();
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
    EXPECT_EQ(semaphore.available(), 0U);
  });
}

TYPED_TEST(SemaphoreTest, AnExceptionGivesThePermitBack) {
  this->loop.run([] {
    TypeParam semaphore(1);
    auto thrower = spawn("thrower", [&] {
      const auto permit = semaphore.permit().value();
      throw std::runtime_error("failed");
    });
    EXPECT_THROW(thrower.join().value(), std::runtime_error);
    EXPECT_EQ(semaphore.available(), 1U);
  });
}

TYPED_TEST(SemaphoreTest, MayBeDestroyedByWhoeverAcquiredLast) {
  this->loop.run([] {
    auto semaphore = std::make_unique<TypeParam>(0);
    Caller caller([&] {
      auto acquired = semaphore->acquire();
      semaphore.reset();
      return acquired;
    });
    semaphore->release();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(semaphore, nullptr);
  });
}

TEST(Semaphore, BoundsFibersOfAllWorkers) {
  constexpr int bound = 2;
  Semaphore semaphore(bound);
  std::atomic<int> inside = 0;
  on_workers(3, [&](int) {
    FiberGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn("fiber", [&] {
        for (int round = 0; round < 200; ++round) {
          const auto permit = semaphore.permit(Deadline::after(round % 4 == 0 ? 20us : 10s));
          if (!permit) continue;
          EXPECT_LE(++inside, bound);
          if (round % 10 == 0) this_fiber::yield();
          --inside;
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(semaphore.available(), std::size_t{bound});
}

TEST(Semaphore, IsReleasedByAThreadWithoutFibers) {
  Semaphore semaphore(0);
  on_workers(1, [&](int) {
    std::thread releaser([&] { semaphore.release(); });
    EXPECT_TRUE(semaphore.acquire());
    releaser.join();
  });
}

TEST(SemaphoreDeathTest, DestructionWhileAFiberWaitsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto semaphore = std::make_unique<Semaphore>(0);
          const Caller caller([&] { return semaphore->acquire(); });
          semaphore.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

}  // namespace
}  // namespace atlas
