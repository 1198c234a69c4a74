#include <atlas/core/when.hpp>

#include <atlas/core/fiber_local.hpp>
#include <atlas/core/future.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

/// A task that takes a while and then returns `value`; it counts how it ended.
struct Slow {
  Duration duration;
  int value = 0;
  int* cancelled = nullptr;

  int operator()() const {
    const auto slept = this_fiber::sleep_for(duration);
    if (!slept && cancelled != nullptr) ++*cancelled;
    slept.value();
    return value;
  }
};

int fail() { throw std::runtime_error("failed"); }

TEST(WhenAll, GivesTheResultsOfAll) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    auto [number, text, pointer, nothing] =
        when_all(
            Slow{3s, 7}, [] { return std::string("text"); }, [] { return std::make_unique<int>(1); },
            [] { this_fiber::sleep_for(2s).value(); })
            .value();
    EXPECT_EQ(number, 7);
    EXPECT_EQ(text, "text");
    EXPECT_EQ(*pointer, 1);
    EXPECT_EQ(nothing, std::monostate());
    EXPECT_EQ(loop.now() - before, 3s) << "at the same time";
  });
}

TEST(WhenAll, AnExceptionCancelsTheOthersAndComesOut) {
  TestLoop loop;
  loop.run([] {
    int cancelled = 0;
    EXPECT_THROW(static_cast<void>(when_all(Slow{1h, 1, &cancelled}, fail, Slow{1h, 2, &cancelled})),
                 std::runtime_error);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(WhenAll, CancelsAllAtItsDeadline) {
  TestLoop loop;
  loop.run([&] {
    int cancelled = 0;
    const auto all = when_all(Deadline::after(1s), Slow{1h, 1, &cancelled}, Slow{1ms});
    EXPECT_EQ(all.error(), std::errc::timed_out);
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(WhenAll, CancelsAllWhenItIsCancelled) {
  TestLoop loop;
  loop.run([] {
    int cancelled = 0;
    Caller caller([&] { return when_all(Slow{1h, 1, &cancelled}, Slow{1h, 2, &cancelled}); });
    this_fiber::yield();
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(WhenAll, TheLastEndInTheTurnOfACancellationCounts) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      Promise<void> promise;
      auto future = promise.future();
      Caller caller([&] { return when_all([&] { future.get().value(); }, [] {}); });
      this_fiber::yield();
      promise.set_value();                // the task is in the run queue,
      if (cancel_first) caller.cancel();  // and the caller behind it
      this_fiber::yield();                // the task ends, and wakes the caller
      if (!cancel_first) caller.cancel();
      EXPECT_FALSE(caller.error());
    }
  });
}

TEST(WhenAll, HasEndedBeforeWhatItsTasksReferToIsGone) {
  TestLoop loop;
  loop.run([] {
    int seen = 0;
    {
      const auto caller = spawn("caller", [&] {
        const auto value = std::make_unique<int>(7);
        const auto use_late = [&] {
          static_cast<void>(this_fiber::sleep_for(1h));
          this_fiber::yield();
          seen += *value;
        };
        EXPECT_EQ(when_all(use_late, use_late).error(), std::errc::operation_canceled);
      });
      this_fiber::yield();
      this_fiber::yield();
    }
    EXPECT_EQ(seen, 14);
  });
}

const FiberLocal<int> request;

TEST(WhenAll, TasksInheritFiberLocalsAndTheDeadlineOfAScope) {
  TestLoop loop;
  loop.run([&] {
    const FiberLocal<int>::Scope bound(request, 7);
    const auto numbers = when_all([] { return *request.get(); }, [] { return *request.get() + 1; }).value();
    EXPECT_EQ(numbers, std::tuple(7, 8));
    const TimePoint before = loop.now();
    const DeadlineScope scope(1s);
    EXPECT_EQ(when_all(Slow{1h}, [] {}).error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 1s);
  });
}

TEST(WhenAny, GivesTheFirstAndCancelsTheOthers) {
  TestLoop loop;
  loop.run([&] {
    const TimePoint before = loop.now();
    int cancelled = 0;
    const auto first = when_any(Slow{1h, 1, &cancelled}, Slow{1s, 2}, Slow{1h, 3, &cancelled}).value();
    EXPECT_EQ(first.index(), 1U);
    EXPECT_EQ(std::get<1>(first), 2);
    EXPECT_EQ(cancelled, 2);
    EXPECT_EQ(loop.now() - before, 1s);
  });
}

TEST(WhenAny, OfTasksOfDifferentKinds) {
  TestLoop loop;
  loop.run([] {
    auto first = when_any(
                     Slow{1h}, [] {}, [] { return std::make_unique<int>(1); })
                     .value();
    EXPECT_EQ(first.index(), 1U);
  });
}

TEST(WhenAny, AnExceptionMayBeTheFirstEnd) {
  TestLoop loop;
  loop.run([] {
    int cancelled = 0;
    EXPECT_THROW(static_cast<void>(when_any(Slow{1h, 1, &cancelled}, fail)), std::runtime_error);
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(WhenAny, WhatTheOthersThrowIsDropped) {
  TestLoop loop;
  loop.run([] {
    const auto first = when_any([] { return 1; }, fail, Slow{1h, 2}).value();
    EXPECT_EQ(first.index(), 0U);
  });
}

TEST(WhenAny, CancelsAllAtItsDeadline) {
  TestLoop loop;
  loop.run([] {
    int cancelled = 0;
    const auto any = when_any(Deadline::after(1s), Slow{1h, 1, &cancelled}, Slow{1h, 2, &cancelled});
    EXPECT_EQ(any.error(), std::errc::timed_out);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(WhenAny, CancelsAllWhenItIsCancelled) {
  TestLoop loop;
  loop.run([] {
    int cancelled = 0;
    Caller caller([&] { return when_any(Slow{1h, 1, &cancelled}, Slow{1h, 2, &cancelled}); });
    this_fiber::yield();
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(WhenAny, TheFirstEndInTheTurnOfACancellationCounts) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      Promise<int> promise;
      auto future = promise.future();
      std::size_t index = 9;
      Caller caller([&]() -> Result<void> {
        const auto first = when_any(Slow{1h}, [&] { return future.get().value(); });
        if (!first) return Unexpected(first.error());
        index = first->index();
        return {};
      });
      this_fiber::yield();
      promise.set_value(5);
      if (cancel_first) caller.cancel();
      this_fiber::yield();
      if (!cancel_first) caller.cancel();
      EXPECT_FALSE(caller.error());
      EXPECT_EQ(index, 1U);
    }
  });
}

TEST(WhenAny, HasEndedBeforeWhatItsTasksReferToIsGone) {
  TestLoop loop;
  loop.run([] {
    int seen = 0;
    const auto use_late = [&](int value) {
      static_cast<void>(this_fiber::sleep_for(1h));
      this_fiber::yield();
      seen += value;
    };
    EXPECT_THROW(
        {
          const auto value = std::make_unique<int>(7);
          static_cast<void>(when_any([&] { use_late(*value); }, fail, [&] { use_late(*value); }));
        },
        std::runtime_error);
    EXPECT_EQ(seen, 14);
  });
}

TEST(WhenAny, TasksInheritFiberLocalsAndTheDeadlineOfAScope) {
  TestLoop loop;
  loop.run([] {
    const FiberLocal<int>::Scope bound(request, 7);
    EXPECT_EQ(std::get<0>(when_any([] { return *request.get(); }, Slow{1h}).value()), 7);
    const DeadlineScope scope(1s);
    EXPECT_EQ(when_any(Slow{1h}, Slow{1h}).error(), std::errc::timed_out);
  });
}

TEST(WhenAny, RunsOnEveryWorkerAtATime) {
  on_workers(3, [](int) {
    for (int round = 0; round < 50; ++round) {
      EXPECT_EQ(when_any([] { this_fiber::yield(); }, [] { return this_fiber::sleep_for(1h); })->index(), 0U);
      EXPECT_EQ(std::get<1>(when_all([] { this_fiber::yield(); }, [] { return 4; }).value()), 4);
    }
  });
}

}  // namespace
}  // namespace atlas
