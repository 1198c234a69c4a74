#include <atlas/core/mutex.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
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

template <class Kind>
class MutexTest : public ::testing::Test {
 protected:
  /// Runs `body` with a mutex that its caller has locked already.
  template <class Body>
  void with_locked(const Body& body) {
    loop.run([&] {
      Kind mutex;
      auto lock = mutex.lock().value();
      body(mutex, lock);
    });
  }

  TestLoop loop;
};

using Kinds = ::testing::Types<Mutex, local::Mutex>;
class KindNames {
 public:
  template <class Kind>
  static std::string GetName(int) {
    return std::is_same_v<Kind, Mutex> ? "AnyThread" : "OneThread";
  }
};
TYPED_TEST_SUITE(MutexTest, Kinds, KindNames);

TYPED_TEST(MutexTest, IsTakenAtOnceWhenFree) {
  this->loop.run([] {
    TypeParam mutex;
    for (int i = 0; i < 3; ++i) {
      const auto lock = mutex.lock();
      EXPECT_TRUE(lock);
    }
  });
}

TYPED_TEST(MutexTest, GoesFromHandToHandInTheOrderOfAsking) {
  std::string order;
  this->loop.run([&] {
    TypeParam mutex;
    FiberGroup group;
    for (const char letter : {'a', 'b', 'c'}) {
      group.spawn("letter", [&, letter] {
        for (int i = 0; i < 2; ++i) {
          const auto lock = mutex.lock().value();
          this_fiber::yield();
          order += letter;
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(order, "abcabc");
}

TYPED_TEST(MutexTest, IsHeldAcrossASuspension) {
  this->loop.run([] {
    TypeParam mutex;
    int inside = 0;
    FiberGroup group;
    for (int i = 0; i < 10; ++i) {
      group.spawn("fiber", [&] {
        const auto lock = mutex.lock().value();
        EXPECT_EQ(++inside, 1);
        this_fiber::sleep_for(1ms).value();
        --inside;
      });
    }
    group.join().value();
  });
}

TYPED_TEST(MutexTest, TryLockDoesNotWait) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    EXPECT_FALSE(mutex.try_lock());
    lock.unlock();
    EXPECT_FALSE(lock);
    const auto again = mutex.try_lock();
    EXPECT_TRUE(again);
    EXPECT_FALSE(mutex.try_lock());
  });
}

TYPED_TEST(MutexTest, ALockThatIsMovedHoldsOn) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    {
      const auto moved = std::move(lock);
      EXPECT_TRUE(moved);
      EXPECT_FALSE(lock);
      EXPECT_FALSE(mutex.try_lock());
    }
    EXPECT_TRUE(mutex.try_lock());
  });
}

TYPED_TEST(MutexTest, ALockThatIsAssignedToGivesBackWhatItHeld) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    TypeParam other;
    lock = other.lock().value();
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(other.try_lock());
    lock.unlock();
  });
}

TYPED_TEST(MutexTest, GivesUpAtItsDeadline) {
  this->with_locked([this](TypeParam& mutex, auto& lock) {
    const TimePoint before = this->loop.now();
    EXPECT_EQ(mutex.lock(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 1s);
    lock.unlock();
    EXPECT_TRUE(mutex.lock());
  });
}

TYPED_TEST(MutexTest, GivesUpAtTheDeadlineOfAScope) {
  this->with_locked([](TypeParam& mutex, auto&) {
    const DeadlineScope scope(1s);
    EXPECT_EQ(mutex.lock().error(), std::errc::timed_out);
  });
}

TYPED_TEST(MutexTest, IsTakenWhenFreeEvenByTheLateAndTheCancelled) {
  this->loop.run([] {
    auto fiber = spawn("late", [] {
      TypeParam mutex;
      EXPECT_TRUE(mutex.lock(Deadline::after(-1s)));
      EXPECT_TRUE(this_fiber::cancelled());
    });
    fiber.cancel();
    fiber.join().value();
  });
}

TYPED_TEST(MutexTest, CancellationEndsTheWaitAndTheNextInLineIsServed) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    Caller first([&] { return mutex.lock(); });
    Caller second([&] { return mutex.lock(); });
    first.cancel();
    EXPECT_EQ(first.error(), std::errc::operation_canceled);
    EXPECT_TRUE(second.waits());
    lock.unlock();
    EXPECT_FALSE(second.error());
  });
}

TYPED_TEST(MutexTest, AHandOverInTheTurnOfACancellationCounts) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    Caller caller([&] { return mutex.lock(); });
    caller.cancel();
    lock.unlock();
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(caller.error());
    EXPECT_TRUE(mutex.try_lock());
  });
}

TYPED_TEST(MutexTest, ACancellationInTheTurnOfAHandOverComesTooLate) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    Caller caller([&] { return mutex.lock(); });
    lock.unlock();
    caller.cancel();
    EXPECT_FALSE(caller.error());
    EXPECT_TRUE(mutex.try_lock());
  });
}

TYPED_TEST(MutexTest, AHandOverInTheTurnOfATimeOutCounts) {
  this->with_locked([this](TypeParam& mutex, auto& lock) {
    Caller caller([&] { return mutex.lock(Deadline::after(1s)); });
    // Due in the same turn: the inbox comes before the timers.
    this->loop.driver().advance(1s);
    this->loop.scheduler().inbox()->post([&] { lock.unlock(); });
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(MutexTest, AnExceptionGivesItBack) {
  this->loop.run([] {
    TypeParam mutex;
    auto thrower = spawn("thrower", [&] {
      const auto lock = mutex.lock().value();
      this_fiber::yield();
      throw std::runtime_error("failed");
    });
    this_fiber::yield();
    EXPECT_TRUE(mutex.lock());
    EXPECT_THROW(thrower.join().value(), std::runtime_error);
  });
}

TYPED_TEST(MutexTest, MayBeDestroyedByWhoeverHeldItLast) {
  this->loop.run([] {
    auto mutex = std::make_unique<TypeParam>();
    auto lock = mutex->lock().value();
    auto last = spawn("last", [&] {
      mutex->lock().value().unlock();
      mutex.reset();
    });
    this_fiber::yield();
    lock.unlock();
    last.join().value();
    EXPECT_EQ(mutex, nullptr);
  });
}

TYPED_TEST(MutexTest, AWaitingFiberMayBeDestroyedBeforeIt) {
  this->with_locked([](TypeParam& mutex, auto& lock) {
    {
      const auto waiting = spawn("waiting", [&] { static_cast<void>(mutex.lock()); });
      this_fiber::yield();
    }
    lock.unlock();
    EXPECT_TRUE(mutex.try_lock());
  });
}

TYPED_TEST(MutexTest, MayBeGivenBackOutsideOfFibers) {
  this->with_locked([this](TypeParam& mutex, auto& lock) {
    Caller caller([&] { return mutex.lock(); });
    this->loop.scheduler().inbox()->post([&] {
      lock.unlock();
      EXPECT_TRUE(caller.waits()) << "nobody runs within the unlock";
    });
    EXPECT_FALSE(caller.error());
  });
}

TEST(Mutex, ExcludesFibersOfDifferentWorkers) {
  constexpr int workers = 3;
  constexpr int rounds = 500;
  Mutex mutex;
  int sum = 0;
  on_workers(workers, [&](int) {
    FiberGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn("adder", [&] {
        for (int round = 0; round < rounds; ++round) {
          const auto lock = mutex.lock().value();
          const int before = sum;
          if (round % 50 == 0) this_fiber::yield();
          sum = before + 1;
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(sum, workers * 3 * rounds);
}

TEST(Mutex, TimeOutsThatRaceWithHandOversLoseNothing) {
  constexpr int rounds = 300;
  Mutex mutex;
  on_workers(3, [&](int) {
    for (int round = 0; round < rounds; ++round) {
      const auto lock = mutex.lock(Deadline::after(50us * (round % 5)));
      if (lock) this_fiber::yield();
    }
  });
  EXPECT_TRUE(mutex.try_lock());
}

TEST(Mutex, CancellationsThatRaceWithHandOversLoseNothing) {
  Mutex mutex;
  on_workers(2, [&](int) {
    for (int round = 0; round < 300; ++round) {
      auto fiber = spawn("fiber", [&] {
        if (const auto lock = mutex.lock()) this_fiber::yield();
      });
      this_fiber::yield();
      fiber.cancel();
      fiber.join().value();
    }
  });
  EXPECT_TRUE(mutex.try_lock());
}

TEST(Mutex, MayBeDestroyedByAnotherThreadWhileTheUnlockIsOnItsWayOut) {
  constexpr int rounds = 300;
  for (int round = 0; round < rounds; ++round) {
    auto mutex = std::make_unique<Mutex>();
    auto lock = mutex->try_lock();
    std::atomic<bool> asked = false;
    std::thread other([&] {
      run_event_loop([&] {
        asked = true;
        mutex->lock().value().unlock();
        mutex.reset();
      });
    });
    while (!asked) std::this_thread::yield();
    for (int i = 0; i < round % 3; ++i) std::this_thread::yield();  // it may be waiting by then, or not
    lock.reset();
    other.join();
    EXPECT_EQ(mutex, nullptr);
  }
}

TEST(Mutex, MayBeLockedOutsideOfFibersWhenFree) {
  Mutex mutex;
  on_workers(1, [&](int) {
    auto lock = std::make_unique<Mutex::Lock>(mutex.lock().value());
    Caller caller([&] { return mutex.lock(); });
    std::thread([&] {
      EXPECT_FALSE(mutex.try_lock());
      lock.reset();
    }).join();
    EXPECT_FALSE(caller.error());
  });
}

TEST(MutexDeathTest, DestructionWhileItIsHeldAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto mutex = std::make_unique<Mutex>();
          auto lock = mutex->lock().value();
          const Caller caller([&] { return mutex->lock(); });
          mutex.reset();
        });
      },
      "a mutex was destroyed while it is held");
}

TEST(MutexDeathTest, UnlockingTwiceAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Mutex mutex;
        auto lock = mutex.try_lock();
        lock->unlock();
        lock->unlock();
      },
      "what is not held cannot be given back");
}

TEST(MutexDeathTest, ALocalOneUsedByTwoThreadsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        local::Mutex mutex;
        static_cast<void>(mutex.try_lock());
        std::thread([&] { static_cast<void>(mutex.try_lock()); }).join();
      },
      "an object of atlas::local was used by two threads");
}

}  // namespace
}  // namespace atlas
