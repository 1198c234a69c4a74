#include <atlas/core/signals.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include "support/workers.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <latch>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;

TEST(SignalSet, WaitSuspendsUntilASignalArrives) {
  run_event_loop([] {
    SignalSet signals{SIGUSR1, SIGUSR2};
    auto raiser = spawn("raiser", [] { std::raise(SIGUSR2); });
    EXPECT_EQ(signals.wait(Deadline::after(10s)).value(), SIGUSR2);
    raiser.join().value();
  });
}

TEST(SignalSet, ReportsSignalsThatCameBeforeTheWait) {
  run_event_loop([] {
    SignalSet signals{SIGUSR1, SIGUSR2};
    std::raise(SIGUSR1);
    std::raise(SIGUSR2);
    this_fiber::sleep_for(1ms).value();
    EXPECT_EQ(signals.wait(Deadline::after(10s)).value(), SIGUSR1);
    EXPECT_EQ(signals.wait(Deadline::after(10s)).value(), SIGUSR2);
  });
}

TEST(SignalSet, WaitGivesUpAtItsDeadline) {
  run_event_loop([] {
    SignalSet signals{SIGUSR1};
    EXPECT_EQ(signals.wait(Deadline::after(1ms)).error(), std::errc::timed_out);
  });
}

TEST(SignalSet, WaitIsCancelled) {
  run_event_loop([] {
    SignalSet signals{SIGUSR1};
    std::error_code seen;
    auto waiter = spawn("waiter", [&] { seen = signals.wait().error(); });
    this_fiber::yield();
    waiter.cancel();
    waiter.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(SignalSet, ASignalInTheTurnOfACancellationIsNotLost) {
  run_event_loop([] {
    for (const bool cancel_first : {true, false}) {
      SignalSet signals{SIGUSR1};
      Caller caller([&] { return signals.wait(); });
      if (cancel_first) caller.cancel();
      std::raise(SIGUSR1);  // caught; the loop has yet to hear of it
      caller.cancel();
      EXPECT_EQ(caller.error(), std::errc::operation_canceled);
      EXPECT_EQ(signals.wait(Deadline::after(20s)).value(), SIGUSR1);
    }
  });
}

TEST(SignalSet, MayBeDestroyedWithASignalOnItsWay) {
  run_event_loop([] {
    SignalSet other{SIGUSR1};
    {
      const SignalSet signals{SIGUSR1};
      std::raise(SIGUSR1);
    }
    EXPECT_EQ(other.wait(Deadline::after(20s)).value(), SIGUSR1);
  });
}

TEST(SignalSet, AnExceptionLetsGoOfTheSignals) {
  run_event_loop([] {
    const auto fail = [] {
      SignalSet signals{SIGUSR2};
      signals.wait(Deadline::after(1ms)).value();
    };
    EXPECT_THROW(fail(), std::system_error);
    struct sigaction action {};
    ASSERT_EQ(::sigaction(SIGUSR2, nullptr, &action), 0);
    EXPECT_EQ(action.sa_handler, SIG_DFL);
  });
}

TEST(WaitForSignal, IsCancelledAndTheSignalTakesItsDefaultActionAgain) {
  run_event_loop([] {
    Caller caller([] { return wait_for_signal({SIGUSR2}); });
    struct sigaction action {};
    ASSERT_EQ(::sigaction(SIGUSR2, nullptr, &action), 0);
    EXPECT_NE(action.sa_handler, SIG_DFL);
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    ASSERT_EQ(::sigaction(SIGUSR2, nullptr, &action), 0);
    EXPECT_EQ(action.sa_handler, SIG_DFL);
  });
}

TEST(WaitForSignal, ReturnsTheSignalThatArrives) {
  run_event_loop([] {
    auto raiser = spawn("raiser", [] { std::raise(SIGUSR2); });
    EXPECT_EQ(wait_for_signal({SIGUSR1, SIGUSR2}, Deadline::after(20s)).value(), SIGUSR2);
    raiser.join().value();
  });
}

TEST(WaitForSignal, GivesUpAtItsDeadline) {
  run_event_loop(
      [] { EXPECT_EQ(wait_for_signal({SIGUSR1}, Deadline::after(1ms)).error(), std::errc::timed_out); });
}

TEST(WaitForSignal, IsToldToEveryFiberOfEveryWorkerThatWaits) {
  std::latch waiting(3);
  std::latch told(3);
  on_workers(3, [&](int worker) {
    SignalSet first{SIGUSR1};
    SignalSet second{SIGUSR1};
    waiting.arrive_and_wait();
    if (worker == 0) ::kill(::getpid(), SIGUSR1);
    EXPECT_EQ(first.wait().value(), SIGUSR1);
    EXPECT_EQ(second.wait().value(), SIGUSR1);
    told.arrive_and_wait();
  });
}

TEST(SignalSetDeathTest, ASignalTakesItsDefaultActionAfterwards) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        run_event_loop([] { const SignalSet signals{SIGUSR1}; });
        std::raise(SIGUSR1);
      },
      ::testing::KilledBySignal(SIGUSR1), "");
}

TEST(Signals, IgnoredBrokenPipesAreErrors) {
  ignore_broken_pipes();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

}  // namespace
}  // namespace atlas
