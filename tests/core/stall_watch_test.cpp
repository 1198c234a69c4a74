#include <atlas/core/stall_watch.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using detail::StallDetector;

constexpr TimePoint start(1h);

TEST(StallDetector, FindsATurnThatLastsTheThreshold) {
  StallDetector detector(100ms);
  EXPECT_EQ(detector.look({.beat = 2, .busy = true}, start), std::nullopt);
  EXPECT_EQ(detector.look({.beat = 2, .busy = true}, start + 99ms), std::nullopt);
  EXPECT_EQ(detector.look({.beat = 2, .busy = true}, start + 100ms), 100ms);
}

TEST(StallDetector, FindsEachStallOnce) {
  StallDetector detector(100ms);
  static_cast<void>(detector.look({.beat = 2, .busy = true}, start));
  EXPECT_TRUE(detector.look({.beat = 2, .busy = true}, start + 100ms));
  EXPECT_FALSE(detector.look({.beat = 2, .busy = true}, start + 1000ms));
  EXPECT_FALSE(detector.look({.beat = 4, .busy = true}, start + 1001ms));
  EXPECT_TRUE(detector.look({.beat = 4, .busy = true}, start + 1101ms));
}

TEST(StallDetector, FindsNoStallWhereTheLoopComesRound) {
  StallDetector detector(100ms);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(detector.look({.beat = static_cast<std::uint64_t>(i), .busy = true}, start + i * 99ms));
  }
}

TEST(StallDetector, FindsNoStallInALoopThatWaits) {
  StallDetector detector(100ms);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(detector.look({.beat = 1, .busy = false}, start + i * 1s));
  EXPECT_FALSE(detector.look({.beat = 1, .busy = true}, start + 200s));
  EXPECT_TRUE(detector.look({.beat = 1, .busy = true}, start + 201s));
}

/// A thread with a loop that `watch` watches, whose first fiber does `work`.
std::thread watched_thread(StallWatch& watch, std::function<void()> work) {
  return std::thread([&watch, work = std::move(work)] {
    run_event_loop([&] {
      Scheduler::current()->set_worker_index(7);
      const StallWatch::Membership membership(watch);
      work();
    });
  });
}

// Something that sanitizers let signals through in.
void block_until(const std::atomic<bool>& released) {
  while (!released) ::usleep(100);
}

TEST(StallWatch, NamesTheFiberItsDetailAndItsStack) {
  StallWatch watch(5ms);
  std::atomic<bool> released = false;
  auto victim = watched_thread(watch, [&] {
    spawn("spinner",
          [&] {
            this_fiber::set_detail("GET /spin HTTP/1.1");
            block_until(released);
          })
        .join()
        .value();
  });
  run_event_loop([&] {
    const auto stall = watch.wait().value();
    EXPECT_EQ(stall.worker, 7);
    EXPECT_GE(stall.lasted, 5ms);
    EXPECT_EQ(stall.fiber, "spinner");
    EXPECT_EQ(stall.detail, "GET /spin HTTP/1.1");
    EXPECT_GT(stall.stack.size(), 1U);
  });
  released = true;
  victim.join();
}

TEST(StallWatch, SeesAStallInATaskOfTheInbox) {
  StallWatch watch(5ms);
  std::atomic<bool> released = false;
  auto victim = watched_thread(watch, [&] {
    Wait wait({"the task"});
    Scheduler::current()->inbox()->post([&, waker = wait.waker()] {
      block_until(released);
      waker.wake();
    });
    static_cast<void>(wait.park());
  });
  run_event_loop([&] { EXPECT_EQ(watch.wait().value().fiber, ""); });
  released = true;
  victim.join();
}

TEST(StallWatch, SeesAFiberThatACallbackResumed) {
  StallWatch watch(5ms);
  std::atomic<bool> released = false;
  auto victim = watched_thread(watch, [&] {
    this_fiber::sleep_for(1ms).value();
    block_until(released);
  });
  run_event_loop([&] { EXPECT_EQ(watch.wait().value().fiber, "main"); });
  released = true;
  victim.join();
}

TEST(StallWatch, LeavesALoopThatWaitsAlone) {
  StallWatch watch(2ms);
  std::promise<std::pair<std::shared_ptr<Inbox>, Waker>> parked;
  auto victim = watched_thread(watch, [&] {
    Wait wait({"the end of the test"});
    parked.set_value({Scheduler::current()->inbox(), wait.waker()});
    static_cast<void>(wait.park());
  });
  auto [inbox, waker] = parked.get_future().get();
  run_event_loop([&] {
    const DeadlineScope scope(50ms);
    EXPECT_EQ(watch.wait().error(), std::errc::timed_out);
  });
  inbox->post([end = waker] { end.wake(); });
  victim.join();
}

TEST(StallWatch, WaitIsCancelled) {
  run_event_loop([] {
    StallWatch watch(1h);
    std::error_code seen;
    auto waiter = spawn("watch", [&] { seen = watch.wait().error(); });
    this_fiber::yield();
    waiter.cancel();
    waiter.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

}  // namespace
}  // namespace atlas
