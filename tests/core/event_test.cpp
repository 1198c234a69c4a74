#include <atlas/core/event.hpp>

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

template <class Kind>
class EventTest : public ::testing::Test {
 protected:
  TestLoop loop;
};
using Kinds = ::testing::Types<Event, local::Event>;
TYPED_TEST_SUITE(EventTest, Kinds);

TYPED_TEST(EventTest, LetsEverybodyPassOnceSet) {
  this->loop.run([] {
    TypeParam event;
    Caller first([&] { return event.wait(); });
    Caller second([&] { return event.wait(); });
    EXPECT_FALSE(event.is_set());
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_FALSE(first.error());
    EXPECT_FALSE(second.error());
    EXPECT_TRUE(event.wait(Deadline::after(-1s)));
  });
}

TYPED_TEST(EventTest, AResetTakesNothingBackFromThoseWhoWaited) {
  this->loop.run([] {
    TypeParam event;
    Caller before([&] { return event.wait(); });
    event.set();
    event.reset();
    Caller after([&] { return event.wait(Deadline::after(1s)); });
    EXPECT_FALSE(before.error());
    EXPECT_EQ(after.error(), std::errc::timed_out);
  });
}

TYPED_TEST(EventTest, GivesUpAtItsDeadline) {
  this->loop.run([this] {
    TypeParam event;
    const TimePoint before = this->loop.now();
    EXPECT_EQ(event.wait(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 1s);
  });
}

TYPED_TEST(EventTest, CancellationEndsTheWait) {
  this->loop.run([] {
    TypeParam event;
    Caller caller([&] { return event.wait(); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TYPED_TEST(EventTest, ASetInTheTurnOfACancellationCounts) {
  this->loop.run([] {
    TypeParam event;
    Caller caller([&] { return event.wait(); });
    caller.cancel();
    event.set();
    EXPECT_FALSE(caller.error());
    event.reset();
    Caller other([&] { return event.wait(); });
    event.set();
    other.cancel();
    EXPECT_FALSE(other.error());
  });
}

TYPED_TEST(EventTest, MayBeDestroyedByWhoeverPassed) {
  this->loop.run([] {
    auto event = std::make_unique<TypeParam>();
    Caller caller([&] {
      auto waited = event->wait();
      event.reset();
      return waited;
    });
    event->set();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(event, nullptr);
  });
}

TYPED_TEST(EventTest, AnExceptionAfterTheWaitLeavesItSet) {
  this->loop.run([] {
    TypeParam event;
    auto thrower = spawn("thrower", [&] {
      event.wait().value();
      throw std::runtime_error("failed");
    });
    this_fiber::yield();
    event.set();
    EXPECT_THROW(thrower.join().value(), std::runtime_error);
    EXPECT_TRUE(event.wait());
  });
}

TEST(Event, WakesFibersOfAllWorkers) {
  constexpr int workers = 3;
  Event start;
  std::atomic<int> ready = 0;
  Event all_ready;
  on_workers(workers, [&](int worker) {
    FiberGroup group;
    for (int i = 0; i < 5; ++i) {
      group.spawn("waiter", [&] {
        if (++ready == workers * 5) all_ready.set();
        start.wait().value();
      });
    }
    if (worker == 0) {
      all_ready.wait().value();
      start.set();
    }
    group.join().value();
  });
}

TEST(EventDeathTest, DestructionWhileAFiberWaitsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto event = std::make_unique<Event>();
          const Caller caller([&] { return event->wait(); });
          event.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

}  // namespace
}  // namespace atlas
