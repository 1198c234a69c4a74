#include <atlas/core/loop_handle.hpp>

#include <atlas/core/event.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/run_on.hpp>
#include "support/captured_log.hpp"
#include "support/workers.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using ::testing::HasSubstr;

/// A loop on a thread of its own, until it is told to end.
class OtherLoop {
 public:
  OtherLoop() {
    std::promise<LoopHandle> handle;
    auto started = handle.get_future();
    thread_ = std::thread([this, &handle] {
      run_event_loop([&] {
        handle.set_value(LoopHandle::current());
        end_.wait().value();
      });
    });
    handle_ = started.get();
  }
  ~OtherLoop() { end(); }

  [[nodiscard]] const LoopHandle& handle() const noexcept { return handle_; }
  [[nodiscard]] std::thread::id id() const noexcept { return thread_.get_id(); }
  void end() {
    end_.set();
    if (thread_.joinable()) thread_.join();
  }

 private:
  Event end_;
  LoopHandle handle_;
  std::thread thread_;
};

void on_a_loop(UniqueFunction body) { run_event_loop(std::move(body)); }

TEST(LoopHandle, OfNoLoopRefuses) {
  EXPECT_FALSE(LoopHandle().spawn("never", [] { ADD_FAILURE(); }));
  EXPECT_FALSE(LoopHandle().post([] { ADD_FAILURE(); }));
}

TEST(LoopHandle, SpawnsThere) {
  OtherLoop other;
  std::promise<std::string> where;
  EXPECT_TRUE(other.handle().spawn("guest", [&] {
    this_fiber::yield();
    EXPECT_EQ(std::this_thread::get_id(), other.id());
    EXPECT_EQ(LoopHandle::current(), other.handle());
    where.set_value(std::string(this_fiber::name()));
  }));
  EXPECT_EQ(where.get_future().get(), "guest");
}

TEST(LoopHandle, RefusesOnceTheLoopHasEnded) {
  OtherLoop other;
  other.end();
  EXPECT_FALSE(other.handle().spawn("never", [] { ADD_FAILURE(); }));
}

TEST(LoopHandle, EndOfTheLoopCancelsGuestsAndWaitsForThem) {
  std::error_code error;
  {
    OtherLoop other;
    Event begun;
    other.handle().spawn("guest", [&] {
      begun.set();
      error = this_fiber::sleep_for(1h).error();
    });
    on_a_loop([&] { begun.wait().value(); });
  }
  EXPECT_EQ(error, std::errc::operation_canceled);
}

TEST(LoopHandle, LogsWhatAGuestThrows) {
  testing::CapturedLog log;
  on_a_loop([&] {
    struct AtEnd {
      Event& event;
      ~AtEnd() { event.set(); }
    };
    Event ended;
    LoopHandle::current().spawn("guest", [&] {
      const AtEnd at_end{ended};
      throw std::runtime_error("no luck");
    });
    ended.wait().value();
  });
  EXPECT_THAT(log.take(), HasSubstr("fiber 'guest', started by another thread, failed: no luck"));
}

TEST(FiberHandle, OfNoFiberDoesNothing) { FiberHandle().cancel(); }

TEST(FiberHandle, CancelsFromAnotherThread) {
  OtherLoop other;
  std::promise<FiberHandle> handle;
  std::promise<std::error_code> error;
  other.handle().spawn("guest", [&] {
    handle.set_value(FiberHandle::current());
    error.set_value(this_fiber::sleep_for(1h).error());
  });
  handle.get_future().get().cancel();
  EXPECT_EQ(error.get_future().get(), std::errc::operation_canceled);
}

TEST(FiberHandle, OfAnEndedFiberSparesTheNextOneWithItsRecord) {
  on_a_loop([] {
    FiberHandle first;
    spawn("first", [&] { first = FiberHandle::current(); }).join().value();
    auto second = spawn("second", [] { EXPECT_TRUE(this_fiber::sleep_for(1ms)); });
    first.cancel();
    second.join().value();
    first.cancel();
    this_fiber::sleep_for(1ms).value();
  });
}

TEST(RunOn, GivesTheResultOfAnotherThread) {
  OtherLoop other;
  on_a_loop([&] {
    const auto id = run_on(other.handle(), "who", [] { return std::this_thread::get_id(); });
    EXPECT_EQ(id.value(), other.id());
  });
}

TEST(RunOn, TakesAFunctionWithoutAResultAndOneWhoseResultOnlyMoves) {
  OtherLoop other;
  on_a_loop([&] {
    int calls = 0;
    run_on(other.handle(), "count", [&] { ++calls; }).value();
    EXPECT_EQ(calls, 1);
    auto made = run_on(other.handle(), "make", [] { return std::make_unique<int>(7); }).value();
    EXPECT_EQ(*made, 7);
  });
}

TEST(RunOn, MaySuspendThereAndRunsOnItsOwnLoopToo) {
  on_a_loop([] {
    const auto slept = run_on(LoopHandle::current(), "sleep", [] {
      this_fiber::sleep_for(1ms).value();
      return true;
    });
    EXPECT_TRUE(slept.value());
  });
}

TEST(RunOn, RethrowsTheExceptionOfTheFunction) {
  OtherLoop other;
  on_a_loop([&] {
    EXPECT_THROW(static_cast<void>(run_on(other.handle(), "throw", [] { throw std::range_error("far"); })),
                 std::range_error);
  });
}

TEST(RunOn, OfAnEndedLoopIsABrokenPromise) {
  OtherLoop other;
  other.end();
  on_a_loop([&] {
    const auto result = run_on(other.handle(), "never", [] { ADD_FAILURE(); });
    EXPECT_EQ(result.error(), std::future_errc::broken_promise);
  });
}

TEST(RunOn, DeadlineCancelsTheFiberThereAndWaitsForIt) {
  OtherLoop other;
  on_a_loop([&] {
    std::error_code there;
    const auto result = run_on(
        other.handle(), "sleep", [&] { there = this_fiber::sleep_for(1h).error(); }, Deadline::after(5ms));
    EXPECT_TRUE(result) << "the function returned";
    EXPECT_EQ(there, std::errc::operation_canceled);
  });
}

TEST(RunOn, DeadlineIsTheErrorWhenTheFunctionGivesUp) {
  OtherLoop other;
  on_a_loop([&] {
    const DeadlineScope hurry(5ms);
    const auto result = run_on(other.handle(), "sleep", [] { this_fiber::sleep_for(1h).value(); });
    EXPECT_EQ(result.error(), std::errc::timed_out);
  });
}

TEST(RunOn, CancellationOfTheCallerReachesTheFiberThere) {
  OtherLoop other;
  on_a_loop([&] {
    Event begun;
    Result<void> result;
    auto caller = spawn("caller", [&] {
      result = run_on(other.handle(), "sleep", [&] {
        begun.set();
        this_fiber::sleep_for(1h).value();
      });
    });
    begun.wait().value();
    caller.cancel();
    caller.join().value();
    EXPECT_EQ(result.error(), std::errc::operation_canceled);
  });
}

TEST(RunOn, CallerThatIsCancelledAtOnceNeverRunsTheFunction) {
  on_a_loop([] {
    auto caller = spawn("caller", [] {
      const auto result = run_on(LoopHandle::current(), "never", [] { ADD_FAILURE(); });
      EXPECT_EQ(result.error(), std::errc::operation_canceled);
    });
    caller.cancel();
    caller.join().value();
  });
}

// The other loop has done all of it while this one stands still: it has been told, and does not know it yet.
TEST(RunOn, AResultThatMeetsACancellationCounts) {
  OtherLoop other;
  on_a_loop([&] {
    for (const bool cancel_first : {true, false}) {
      std::promise<void> done;
      auto result = Result<int>(Unexpected(std::errc::io_error));
      Caller caller([&]() -> Result<void> {
        result = run_on(other.handle(), "seven", [] { return 7; });
        return {};
      });
      if (cancel_first) caller.cancel();
      other.handle().spawn("after it", [&] { done.set_value(); });
      done.get_future().wait();
      if (!cancel_first) caller.cancel();
      EXPECT_FALSE(caller.error());
      EXPECT_EQ(result.value(), 7);
    }
  });
}

TEST(RunOn, HasEndedBeforeWhatTheFunctionRefersToIsGone) {
  OtherLoop other;
  on_a_loop([&] {
    int seen = 0;
    Event begun;
    {
      const auto caller = spawn("caller", [&] {
        const auto value = std::make_unique<int>(7);
        static_cast<void>(run_on(other.handle(), "late", [&] {
          begun.set();
          static_cast<void>(this_fiber::sleep_for(1h));
          this_fiber::yield();
          seen = *value;
        }));
      });
      begun.wait().value();
    }
    EXPECT_EQ(seen, 7);
  });
}

TEST(RunOn, ManyCallsBetweenTwoLoops) {
  OtherLoop other;
  on_a_loop([&] {
    constexpr int fibers = 20;
    constexpr int calls = 100;
    int sum = 0;  // of the other loop's thread
    FiberGroup group;
    for (int i = 0; i < fibers; ++i) {
      group.spawn("caller", [&] {
        for (int call = 0; call < calls; ++call) run_on(other.handle(), "add", [&] { ++sum; }).value();
      });
    }
    group.join().value();
    EXPECT_EQ(run_on(other.handle(), "read", [&] { return sum; }).value(), fibers * calls);
  });
}

}  // namespace
}  // namespace atlas
