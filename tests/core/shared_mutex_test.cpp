#include <atlas/core/shared_mutex.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

template <class Kind>
class SharedMutexTest : public ::testing::Test {
 protected:
  TestLoop loop;
};
using Kinds = ::testing::Types<SharedMutex, local::SharedMutex>;
TYPED_TEST_SUITE(SharedMutexTest, Kinds);

TYPED_TEST(SharedMutexTest, ManyReadAtATime) {
  this->loop.run([] {
    TypeParam mutex;
    const auto one = mutex.lock_shared().value();
    const auto two = mutex.lock_shared().value();
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_FALSE(mutex.try_lock());
  });
}

TYPED_TEST(SharedMutexTest, OneWritesAndNobodyReads) {
  this->loop.run([] {
    TypeParam mutex;
    auto writing = mutex.lock().value();
    EXPECT_FALSE(mutex.try_lock_shared());
    EXPECT_FALSE(mutex.try_lock());
    writing.unlock();
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_TRUE(mutex.try_lock_shared());
  });
}

TYPED_TEST(SharedMutexTest, ServesReadersAndWritersInTheOrderOfAsking) {
  std::string order;
  this->loop.run([&] {
    TypeParam mutex;
    FiberGroup group;
    for (const char kind : std::string("rrwrrwwr")) {
      group.spawn("fiber", [&, kind] {
        if (kind == 'r') {
          const auto lock = mutex.lock_shared().value();
          order += "(";
          this_fiber::sleep_for(1s).value();
          order += ")";
        } else {
          const auto lock = mutex.lock().value();
          order += "[";
          this_fiber::sleep_for(1s).value();
          order += "]";
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(order, "(())[](())[][]()");
}

TYPED_TEST(SharedMutexTest, AReaderWaitsBehindAWaitingWriter) {
  this->loop.run([] {
    TypeParam mutex;
    auto reading = mutex.lock_shared().value();
    Caller writer([&] { return mutex.lock(); });
    EXPECT_FALSE(mutex.try_lock_shared());
    Caller reader([&] { return mutex.lock_shared(); });
    EXPECT_TRUE(reader.waits());
    reading.unlock();
    EXPECT_FALSE(writer.error());
    EXPECT_FALSE(reader.error());
  });
}

TYPED_TEST(SharedMutexTest, GivesUpAtItsDeadline) {
  this->loop.run([this] {
    TypeParam mutex;
    const auto writing = mutex.lock().value();
    const TimePoint before = this->loop.now();
    EXPECT_EQ(mutex.lock(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(mutex.lock_shared(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 2s);
  });
}

TYPED_TEST(SharedMutexTest, AWriterThatGivesUpLetsTheReadersBehindItPass) {
  this->loop.run([] {
    TypeParam mutex;
    const auto reading = mutex.lock_shared().value();
    Caller writer([&] { return mutex.lock(Deadline::after(1s)); });
    Caller reader([&] { return mutex.lock_shared(); });
    Caller second_reader([&] { return mutex.lock_shared(); });
    EXPECT_EQ(writer.error(), std::errc::timed_out);
    EXPECT_FALSE(reader.error());
    EXPECT_FALSE(second_reader.error());
  });
}

TYPED_TEST(SharedMutexTest, CancellationEndsTheWait) {
  this->loop.run([] {
    TypeParam mutex;
    auto writing = mutex.lock().value();
    Caller reader([&] { return mutex.lock_shared(); });
    Caller writer([&] { return mutex.lock(); });
    reader.cancel();
    writer.cancel();
    EXPECT_EQ(reader.error(), std::errc::operation_canceled);
    EXPECT_EQ(writer.error(), std::errc::operation_canceled);
    writing.unlock();
    EXPECT_TRUE(mutex.try_lock());
  });
}

TYPED_TEST(SharedMutexTest, AHandOverInTheTurnOfACancellationCounts) {
  this->loop.run([] {
    TypeParam mutex;
    auto writing = mutex.lock().value();
    Caller first([&] { return mutex.lock_shared(); });
    Caller second([&] { return mutex.lock_shared(); });
    first.cancel();
    writing.unlock();
    second.cancel();
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
    EXPECT_TRUE(mutex.try_lock());
  });
}

TYPED_TEST(SharedMutexTest, AnExceptionGivesItBack) {
  this->loop.run([] {
    TypeParam mutex;
    for (const bool alone : {false, true}) {
      auto thrower = spawn("thrower", [&mutex, alone] {
        if (alone) {
          const auto lock = mutex.lock().value();
          throw std::runtime_error("failed");
        }
        const auto lock = mutex.lock_shared().value();
        throw std::runtime_error("failed");
      });
      EXPECT_THROW(thrower.join().value(), std::runtime_error);
      EXPECT_TRUE(mutex.try_lock());
    }
  });
}

TYPED_TEST(SharedMutexTest, MayBeDestroyedByWhoeverHeldItLast) {
  this->loop.run([] {
    auto mutex = std::make_unique<TypeParam>();
    auto reading = mutex->lock_shared().value();
    auto last = spawn("last", [&] {
      mutex->lock().value().unlock();
      mutex.reset();
    });
    this_fiber::yield();
    reading.unlock();
    last.join().value();
    EXPECT_EQ(mutex, nullptr);
  });
}

TEST(SharedMutex, KeepsReadersAndWritersOfDifferentWorkersApart) {
  constexpr int workers = 3;
  constexpr int rounds = 300;
  SharedMutex mutex;
  int left = 0;
  int right = 0;
  on_workers(workers, [&](int) {
    FiberGroup group;
    group.spawn("writer", [&] {
      for (int round = 0; round < rounds; ++round) {
        const auto lock = mutex.lock().value();
        ++left;
        if (round % 20 == 0) this_fiber::yield();
        ++right;
      }
    });
    for (int i = 0; i < 2; ++i) {
      group.spawn("reader", [&] {
        for (int round = 0; round < rounds; ++round) {
          const auto lock = mutex.lock_shared(Deadline::after(round % 3 == 0 ? 50us : 10s));
          if (!lock) continue;
          const int seen = left;
          if (round % 20 == 0) this_fiber::yield();
          EXPECT_EQ(right, seen);
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(left, workers * rounds);
  EXPECT_TRUE(mutex.try_lock());
}

TEST(SharedMutexDeathTest, DestructionWhileItIsHeldAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto mutex = std::make_unique<SharedMutex>();
          auto lock = mutex->lock().value();
          const Caller caller([&] { return mutex->lock_shared(); });
          mutex.reset();
        });
      },
      "a shared mutex was destroyed while it is held");
}

}  // namespace
}  // namespace atlas
