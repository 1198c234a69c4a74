#include <atlas/core/offload.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

// LeakSanitizer finds what is held by the stack that it is called on, not by those of fibers and of their
// thread.
bool exits_in_a_fiber = false;

}  // namespace

extern "C" int __lsan_is_turned_off() { return exits_in_a_fiber ? 1 : 0; }

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;

constexpr Deadline over{TimePoint()};

/// Work that holds a thread of a pool until it is told to end.
class HeldWork {
 public:
  void operator()() {
    began_.count_down();
    may_end_.wait();
  }
  /// Blocks until a thread is at work.
  void await_begin() { began_.wait(); }
  void end() { may_end_.count_down(); }

 private:
  std::latch began_{1};
  std::latch may_end_{1};
};

/// A pool of one thread, which is at work for as long as this lives.
class BusyPool {
 public:
  explicit BusyPool(std::size_t queue_max = 16)
      : pool_(OffloadLimits{.threads = 1, .queue_max = queue_max}),
        holder_([this] { return pool_.run(work_); }) {
    work_.await_begin();
  }
  ~BusyPool() { free(); }
  BusyPool(const BusyPool&) = delete;
  BusyPool& operator=(const BusyPool&) = delete;

  OffloadPool& operator*() noexcept { return pool_; }
  OffloadPool* operator->() noexcept { return &pool_; }
  /// Lets the thread go on to what is queued.
  void free() {
    if (std::exchange(held_, false)) work_.end();
  }

 private:
  bool held_ = true;
  HeldWork work_;
  OffloadPool pool_;
  Caller holder_;
};

TEST(Offload, GivesTheFunctionsValueFromAnotherThread) {
  run_event_loop([] {
    const auto thread = offload([] { return std::this_thread::get_id(); }).value();
    EXPECT_NE(thread, std::this_thread::get_id());
  });
}

TEST(Offload, OtherFibersRunMeanwhile) {
  run_event_loop([] {
    HeldWork work;
    auto other = spawn("other", [&] { work.end(); });  // blocked for ever if the thread were
    offload(work).value();
    other.join().value();
  });
}

TEST(Offload, GivesValuesThatOnlyMove) {
  run_event_loop([] { EXPECT_EQ(*offload([] { return std::make_unique<int>(7); }).value(), 7); });
}

TEST(Offload, UsesWhatTheFunctionRefersTo) {
  run_event_loop([] {
    std::string text = "before";
    offload([&text] { text = "after"; }).value();
    EXPECT_EQ(text, "after");
  });
}

TEST(Offload, CallsAFunctionObjectThatOnlyMoves) {
  run_event_loop([] {
    auto number = std::make_unique<int>(7);
    EXPECT_EQ(offload([number = std::move(number)]() mutable { return (*number)++; }).value(), 7);
  });
}

TEST(Offload, RethrowsTheFunctionsException) {
  run_event_loop([] {
    const auto fail = []() -> int { throw std::out_of_range("too far"); };
    try {
      static_cast<void>(offload(fail));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "too far");
    }
  });
}

struct UncopyableError {
  explicit UncopyableError(int n) : number(n) {}
  UncopyableError(const UncopyableError&) = delete;
  UncopyableError(UncopyableError&&) = default;
  int number;
};

TEST(Offload, RethrowsAnExceptionThatCannotBeCopied) {
  run_event_loop([] {
    try {
      static_cast<void>(offload([] { throw UncopyableError(7); }));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const UncopyableError& error) {
      EXPECT_EQ(error.number, 7);
    }
  });
}

TEST(Offload, ADeadlineTakesQueuedWorkOut) {
  run_event_loop([] {
    BusyPool pool;
    const auto outcome = pool->run([] { ADD_FAILURE() << "was called"; }, Deadline::after(1ms));
    EXPECT_EQ(outcome.error(), std::errc::timed_out);
    EXPECT_EQ(pool->status().queued, 0U);
  });
}

TEST(Offload, ADeadlineScopeTakesQueuedWorkOut) {
  run_event_loop([] {
    BusyPool pool;
    const DeadlineScope deadline(1ms);
    EXPECT_EQ(pool->run([] { ADD_FAILURE() << "was called"; }).error(), std::errc::timed_out);
  });
}

TEST(Offload, CancellationTakesQueuedWorkOut) {
  run_event_loop([] {
    BusyPool pool;
    Caller caller([&] { return pool->run([] { ADD_FAILURE() << "was called"; }); });
    EXPECT_EQ(pool->status().queued, 1U);
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_EQ(pool->status().queued, 0U);
  });
}

TEST(Offload, WhatIsOverdueOrCancelledFromTheStartIsNotCalled) {
  run_event_loop([] {
    const auto never = [] { ADD_FAILURE() << "was called"; };
    EXPECT_EQ(offload(never, over).error(), std::errc::timed_out);
    auto cancelled =
        spawn("cancelled", [&] { EXPECT_EQ(offload(never).error(), std::errc::operation_canceled); });
    cancelled.cancel();
    cancelled.join().value();
  });
}

TEST(Offload, WorkThatHasBegunOutlastsItsDeadlineAndGivesItsValue) {
  run_event_loop([] {
    HeldWork work;
    auto ender = spawn("ender", [&] {
      work.await_begin();
      this_fiber::sleep_for(2ms).value();  // the caller's deadline passes meanwhile
      work.end();
    });
    EXPECT_EQ(offload([&] { return work(), 7; }, Deadline::after(1ms)).value(), 7);
    ender.join().value();
  });
}

TEST(Offload, WorkThatHasBegunOutlastsCancellationWhichIsSeenAtTheNextWait) {
  run_event_loop([] {
    HeldWork work;
    std::error_code next;
    Caller caller([&] {
      auto outcome = offload(work);
      next = this_fiber::sleep_for(1h).error();
      return outcome;
    });
    work.await_begin();
    caller.cancel();
    this_fiber::yield();
    EXPECT_TRUE(caller.waits());
    work.end();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(next, std::errc::operation_canceled);
  });
}

// The work has ended, and its wake-up waits in the inbox, when the cancellation comes.
TEST(Offload, AValueThatMeetsACancellationIsNotLost) {
  run_event_loop([] {
    OffloadPool pool({.threads = 1});
    std::latch called(1);
    int value = 0;
    Caller caller([&] {
      auto outcome = pool.run([&] { return called.count_down(), 7; });
      if (outcome) value = *outcome;
      return outcome;
    });
    called.wait();
    while (pool.status().busy > 0) continue;
    caller.cancel();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(value, 7);
  });
}

TEST(Offload, AGroupThatIsDestroyedWaitsForWorkThatHasBegun) {
  run_event_loop([] {
    HeldWork work;
    std::atomic<bool> ended = false;
    std::thread ender;
    {
      FiberGroup group;
      group.spawn("caller", [&] {
        static_cast<void>(offload([&] {
          work();
          ended = true;
        }));
      });
      this_fiber::yield();
      work.await_begin();
      ender = std::thread([&] { work.end(); });
    }
    EXPECT_TRUE(ended);
    ender.join();
  });
}

TEST(Offload, IsServedInTheOrderOfItsCalls) {
  run_event_loop([] {
    std::vector<int> order;
    FiberGroup group;
    BusyPool pool(2);  // the other three wait for a place
    for (int i = 0; i < 5; ++i) {
      group.spawn("caller", [&, i] { (*pool).run([&, i] { order.push_back(i); }).value(); });
    }
    this_fiber::yield();
    pool.free();
    group.join().value();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  });
}

TEST(Offload, StatusTellsTheQueueAtItsLimitAndPastIt) {
  run_event_loop([] {
    BusyPool pool(1);
    EXPECT_EQ(pool->status().busy, 1U);
    EXPECT_EQ(pool->status().threads, 1U);
    Caller queued([&] { return pool->run([] {}); });
    EXPECT_EQ(pool->status().queued, 1U);
    EXPECT_EQ(pool->status().waiting_for_room, 0U);
    Caller waiting([&] { return pool->run([] {}); });
    EXPECT_EQ(pool->status().queued, 1U);
    EXPECT_EQ(pool->status().waiting_for_room, 1U);
    queued.cancel();
    EXPECT_EQ(queued.error(), std::errc::operation_canceled);
    EXPECT_EQ(pool->status().waiting_for_room, 0U);
    pool.free();
    EXPECT_FALSE(waiting.error());
  });
}

TEST(Offload, WhoWaitsForRoomIsCancelledOrGivesUp) {
  run_event_loop([] {
    BusyPool pool(0);
    const auto never = [] { ADD_FAILURE() << "was called"; };
    EXPECT_EQ(pool->run(never, Deadline::after(1ms)).error(), std::errc::timed_out);
    Caller caller([&] { return pool->run(never); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TEST(Offload, StartsThreadsOnlyWhenNoneIsIdle) {
  run_event_loop([] {
    OffloadPool pool({.threads = 4});
    EXPECT_EQ(pool.status().threads, 0U);
    HeldWork first;
    HeldWork second;
    Caller one([&] { return pool.run(first); });
    Caller two([&] { return pool.run(second); });
    first.await_begin();
    second.await_begin();
    EXPECT_EQ(pool.status().threads, 2U);
    first.end();
    second.end();
    EXPECT_FALSE(one.error() || two.error());
  });
}

TEST(Offload, HasAsManyThreadsAsProcessorsByDefault) {
  EXPECT_EQ(OffloadPool().limits().threads, std::max(1U, std::thread::hardware_concurrency()));
}

TEST(Offload, UsesTheSchedulersPoolWhereThereIsOne) {
  run_event_loop([] {
    OffloadPool pool({.threads = 1});
    Scheduler::current()->set_offload_pool(&pool);
    offload([] {}).value();
    EXPECT_EQ(offload_status().threads, 1U);
    EXPECT_EQ(pool.status().threads, 1U);
    Scheduler::current()->set_offload_pool(nullptr);
    EXPECT_NE(&OffloadPool::current(), &pool);
  });
}

TEST(Offload, OnePoolServesSeveralWorkers) {
  constexpr int workers = 4;
  constexpr int calls = 200;
  OffloadPool pool({.threads = 3, .queue_max = 2});
  std::atomic<int> sum = 0;
  on_workers(workers, [&](int) {
    FiberGroup group;
    for (int i = 0; i < calls; ++i) {
      group.spawn("caller", [&, i] { sum += pool.run([i] { return i; }).value(); });
    }
    group.join().value();
  });
  EXPECT_EQ(sum, workers * calls * (calls - 1) / 2);
  EXPECT_EQ(pool.status().busy, 0U);
}

TEST(Offload, CallsThatAreCancelledWhileTheyMayBeginAreEitherDoneOrNot) {
  OffloadPool pool({.threads = 2});
  on_workers(2, [&](int) {
    for (int i = 0; i < 300; ++i) {
      std::atomic<int> calls = 0;
      Caller caller([&] { return pool.run([&] { ++calls; }); });
      caller.cancel();
      EXPECT_EQ(calls, caller.error() ? 0 : 1);
    }
  });
}

TEST(OffloadDeathTest, APoolIsNotDestroyedUnderACall) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_event_loop([] {
                 HeldWork work;
                 auto pool = std::make_unique<OffloadPool>(OffloadLimits{.threads = 1});
                 auto caller = spawn("caller", [&] { static_cast<void>(pool->run(work)); });
                 this_fiber::yield();
                 pool.reset();
               }),
               "an offload pool was destroyed while a call was under way");
}

// A process that exits while work is going on, which nobody can end, does not hang.
TEST(OffloadDeathTest, TheProcessMayExitWhileItsPoolIsAtWork) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_event_loop([] {
                HeldWork work;
                auto caller = spawn("caller", [&] { static_cast<void>(offload(work)); });
                this_fiber::yield();
                work.await_begin();
                exits_in_a_fiber = true;
                std::exit(3);
              }),
              ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace atlas
