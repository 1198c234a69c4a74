#include <atlas/core/event_loop.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;

TEST(EventLoop, RunsItsMainAsAFiber) {
  bool on_fiber = false;
  run_event_loop([&] { on_fiber = this_fiber::exists(); });
  EXPECT_TRUE(on_fiber);
  EXPECT_FALSE(this_fiber::exists());
}

TEST(EventLoop, RethrowsWhatMainThrew) {
  EXPECT_THROW(run_event_loop([] { throw std::out_of_range("far"); }), std::out_of_range);
}

TEST(EventLoop, SleepsByTheSystemsClock) {
  const auto before = std::chrono::steady_clock::now();
  run_event_loop([] { this_fiber::sleep_for(3ms).value(); });
  EXPECT_GE(std::chrono::steady_clock::now() - before, 3ms);
}

TEST(EventLoop, AShorterTimerIsNotHeldUpByALongerOne) {
  run_event_loop([] {
    const auto long_sleeper = spawn("long", [] { static_cast<void>(this_fiber::sleep_for(1h)); });
    this_fiber::sleep_for(1ms).value();
    this_fiber::sleep_for(1ms).value();
  });
}

TEST(EventLoop, ManyTimersFireInTheirOrder) {
  std::vector<int> order;
  run_event_loop([&] {
    FiberGroup group;
    for (const int delay : {9, 1, 5, 3, 7}) {
      group.spawn("sleeper", [&order, delay] {
        this_fiber::sleep_for(std::chrono::milliseconds(delay)).value();
        order.push_back(delay);
      });
    }
    group.join().value();
  });
  EXPECT_EQ(order, (std::vector<int>{1, 3, 5, 7, 9}));
}

TEST(EventLoop, IsWokenByAnotherThread) {
  run_event_loop([] {
    Wait wait({"thread"});
    std::thread waker([remote = wait.remote_waker()] { remote.wake(5); });
    EXPECT_EQ(wait.park(Deadline::after(10s)).value, 5);
    waker.join();
  });
}

TEST(EventLoop, ManyThreadsWakeManyFibers) {
  constexpr int threads = 4;
  constexpr int rounds = 200;
  run_event_loop([] {
    FiberGroup group;
    for (int i = 0; i < threads; ++i) {
      group.spawn("waiter", [] {
        for (int round = 0; round < rounds; ++round) {
          Wait wait({"thread"});
          std::thread waker([remote = wait.remote_waker(), round] { remote.wake(round); });
          EXPECT_EQ(wait.park(Deadline::after(10s)).value, round);
          waker.join();
        }
      });
    }
    group.join().value();
  });
}

TEST(EventLoop, ThreadsHaveLoopsOfTheirOwn) {
  std::vector<std::thread> threads;
  std::vector<int> sums(4);
  for (auto& sum : sums) {
    threads.emplace_back([&sum] {
      run_event_loop([&sum] {
        FiberGroup group;
        for (int i = 0; i < 100; ++i) {
          group.spawn("adder", [&sum, i] {
            this_fiber::yield();
            sum += i;
          });
        }
        group.join().value();
      });
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sums, std::vector<int>(4, 4950));
}

// The timer falls due between the turn's look at the clock and libuv's: the loop must not wait for I/O then.
TEST(EventLoop, ATimerThatFallsDueWhileFibersRunIsSeen) {
  run_event_loop([] {
    bool slept = false;
    Fiber sleeper = spawn("sleeper", [&] { slept = this_fiber::sleep_for(2ms).has_value(); });
    this_fiber::yield();
    const auto busy_until = std::chrono::steady_clock::now() + 10ms;
    while (std::chrono::steady_clock::now() < busy_until) continue;
    sleeper.join().value();
    EXPECT_TRUE(slept);
  });
}

TEST(EventLoop, RunsOneAfterTheOtherOnOneThread) {
  for (int i = 0; i < 3; ++i) run_event_loop([] { this_fiber::yield(); });
}

}  // namespace
}  // namespace atlas
