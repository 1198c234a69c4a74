#include <atlas/core/condition_variable.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

template <class MutexKind, class ConditionKind>
struct Guarded {
  MutexKind mutex;
  ConditionKind changed;
  int value = 0;

  Result<void> wait_for(int wanted, Deadline deadline = {}) {
    auto lock = mutex.lock().value();
    return changed.wait(
        lock, [&] { return value == wanted; }, deadline);
  }
  Result<void> wait(Deadline deadline = {}) {
    auto lock = mutex.lock().value();
    auto waited = changed.wait(lock, deadline);
    EXPECT_TRUE(lock);
    EXPECT_FALSE(mutex.try_lock()) << "the mutex is held again";
    return waited;
  }
  void set(int to) {
    {
      const auto lock = mutex.lock().value();
      value = to;
    }
    changed.notify_all();
  }
};

template <class Kind>
class ConditionVariableTest : public ::testing::Test {
 protected:
  TestLoop loop;
};
using Kinds =
    ::testing::Types<Guarded<Mutex, ConditionVariable>, Guarded<local::Mutex, local::ConditionVariable>>;
TYPED_TEST_SUITE(ConditionVariableTest, Kinds);

TYPED_TEST(ConditionVariableTest, WaitsUntilThePredicateHolds) {
  this->loop.run([] {
    TypeParam state;
    Caller caller([&] { return state.wait_for(2); });
    state.set(1);
    this_fiber::yield();
    this_fiber::yield();
    EXPECT_TRUE(caller.waits());
    state.set(2);
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(ConditionVariableTest, DoesNotWaitWhenThePredicateHoldsAlready) {
  this->loop.run([] {
    TypeParam state;
    EXPECT_TRUE(state.wait_for(0, Deadline::after(-1s)));
  });
}

TYPED_TEST(ConditionVariableTest, NotifyOneWakesWhoHasWaitedLongest) {
  this->loop.run([] {
    TypeParam state;
    Caller first([&] { return state.wait(); });
    Caller second([&] { return state.wait(); });
    state.changed.notify_one();
    EXPECT_FALSE(first.error());
    EXPECT_TRUE(second.waits());
    state.changed.notify_one();
    EXPECT_FALSE(second.error());
  });
}

TYPED_TEST(ConditionVariableTest, NotifyAllWakesAllAndIsNotRemembered) {
  this->loop.run([] {
    TypeParam state;
    state.changed.notify_all();
    Caller first([&] { return state.wait(); });
    Caller second([&] { return state.wait(); });
    EXPECT_TRUE(first.waits());
    state.changed.notify_all();
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
  });
}

TYPED_TEST(ConditionVariableTest, GivesUpAtItsDeadlineWithTheMutexHeld) {
  this->loop.run([this] {
    TypeParam state;
    const TimePoint before = this->loop.now();
    EXPECT_EQ(state.wait(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(state.wait_for(1, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 2s);
  });
}

TYPED_TEST(ConditionVariableTest, APredicateThatHoldsAtTheDeadlineIsSuccess) {
  this->loop.run([] {
    TypeParam state;
    Caller caller([&] { return state.wait_for(1, Deadline::after(1s)); });
    state.value = 1;  // and nobody is notified
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(ConditionVariableTest, CancellationEndsTheWaitWithTheMutexHeld) {
  this->loop.run([] {
    TypeParam state;
    Caller caller([&] { return state.wait(); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TYPED_TEST(ConditionVariableTest, WaitsForTheMutexBeyondDeadlineAndCancellation) {
  this->loop.run([this] {
    TypeParam state;
    const TimePoint before = this->loop.now();
    Caller late([&] {
      const DeadlineScope scope(1s);
      return state.wait();
    });
    Caller cancelled([&] { return state.wait(); });
    auto lock = state.mutex.lock().value();
    cancelled.cancel();
    this_fiber::sleep_for(5s).value();
    EXPECT_TRUE(late.waits());
    EXPECT_TRUE(cancelled.waits());
    lock.unlock();
    EXPECT_EQ(late.error(), std::errc::timed_out);
    EXPECT_EQ(cancelled.error(), std::errc::operation_canceled);
    EXPECT_EQ(this->loop.now() - before, 5s);
  });
}

TYPED_TEST(ConditionVariableTest, ANotificationInTheTurnOfACancellationCounts) {
  this->loop.run([] {
    TypeParam state;
    Caller first([&] { return state.wait(); });
    Caller second([&] { return state.wait(); });
    first.cancel();
    state.changed.notify_one();
    EXPECT_FALSE(first.error());
    state.changed.notify_one();
    second.cancel();
    EXPECT_FALSE(second.error());
  });
}

TYPED_TEST(ConditionVariableTest, ANotificationIsNotSpentOnACancelledFiber) {
  this->loop.run([] {
    TypeParam state;
    Caller first([&] { return state.wait(); });
    Caller second([&] { return state.wait(); });
    first.cancel();
    EXPECT_EQ(first.error(), std::errc::operation_canceled);
    state.changed.notify_one();
    EXPECT_FALSE(second.error());
  });
}

TYPED_TEST(ConditionVariableTest, WhatThePredicateThrowsComesOutWithTheMutexHeld) {
  this->loop.run([] {
    TypeParam state;
    auto lock = state.mutex.lock().value();
    const auto throwing = []() -> bool { throw std::runtime_error("failed"); };
    EXPECT_THROW(static_cast<void>(state.changed.wait(lock, throwing)), std::runtime_error);
    EXPECT_TRUE(lock);
    EXPECT_FALSE(state.mutex.try_lock());
  });
}

TYPED_TEST(ConditionVariableTest, MayBeDestroyedByWhoeverWaitedLast) {
  this->loop.run([] {
    auto state = std::make_unique<TypeParam>();
    auto changed = std::make_unique<decltype(state->changed)>();
    Caller caller([&] {
      auto lock = state->mutex.lock().value();
      auto waited = changed->wait(lock);
      changed.reset();
      return waited;
    });
    changed->notify_one();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(changed, nullptr);
  });
}

TEST(ConditionVariable, HandsAQueueFromWorkerToWorker) {
  constexpr int count = 2000;
  Mutex mutex;
  ConditionVariable changed;
  std::deque<int> queue;
  long sum = 0;
  on_workers(3, [&](int worker) {
    if (worker == 0) {
      for (int i = 1; i <= count; ++i) {
        {
          const auto lock = mutex.lock().value();
          queue.push_back(i);
        }
        changed.notify_one();
      }
      const auto lock = mutex.lock().value();
      queue.insert(queue.end(), {0, 0});
      changed.notify_all();
      return;
    }
    while (true) {
      auto lock = mutex.lock().value();
      changed.wait(lock, [&] { return !queue.empty(); }).value();
      const int value = queue.front();
      queue.pop_front();
      if (value == 0) return;
      sum += value;
    }
  });
  EXPECT_EQ(sum, long{count} * (count + 1) / 2);
}

TEST(ConditionVariableDeathTest, DestructionWhileAFiberWaitsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          Mutex mutex;
          auto changed = std::make_unique<ConditionVariable>();
          const Caller caller([&] {
            auto lock = mutex.lock().value();
            return changed->wait(lock);
          });
          changed.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

TEST(ConditionVariableDeathTest, WaitingWithoutTheMutexAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          Mutex mutex;
          ConditionVariable changed;
          auto lock = mutex.lock().value();
          lock.unlock();
          static_cast<void>(changed.wait(lock));
        });
      },
      "a condition variable was waited for without its mutex");
}

}  // namespace
}  // namespace atlas
