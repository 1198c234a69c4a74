#include <atlas/core/timer_wheel.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{1h};

/// A timer whose callback is a closure.
class TestTimer {
 public:
  explicit TestTimer(std::function<void()> on_fire) : on_fire_(std::move(on_fire)) {}
  Timer timer{[](void* self) { static_cast<TestTimer*>(self)->on_fire_(); }, this};

 private:
  std::function<void()> on_fire_;
};

/// Moves the wheel from event to event up to `until`.
void run_to(TimerWheel& wheel, TimePoint until) {
  for (auto next = wheel.next_event(); next && *next <= until; next = wheel.next_event())
    wheel.advance(*next);
  wheel.advance(until);
}

TEST(TimerWheel, HasNoEventWhenNothingIsArmed) {
  const TimerWheel wheel(start);
  EXPECT_FALSE(wheel.next_event());
}

TEST(TimerWheel, FiresOnceAtItsTime) {
  TimerWheel wheel(start);
  int fired = 0;
  TestTimer timer([&] { ++fired; });
  timer.timer.arm(wheel, start + 5ms);
  wheel.advance(start + 4ms);
  EXPECT_EQ(fired, 0);
  wheel.advance(start + 5ms);
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.timer.armed());
  wheel.advance(start + 1h);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, NeverFiresEarlyWithinATick) {
  TimerWheel wheel(start);
  int fired = 0;
  TestTimer timer([&] { ++fired; });
  timer.timer.arm(wheel, start + 5ms + 1ns);
  wheel.advance(start + 5ms + 999us);
  EXPECT_EQ(fired, 0);
  wheel.advance(start + 6ms);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, FiresAtTheNextAdvanceWhenArmedForThePast) {
  TimerWheel wheel(start);
  wheel.advance(start + 1s);
  int fired = 0;
  TestTimer timer([&] { ++fired; });
  timer.timer.arm(wheel, start - 1s);
  EXPECT_LE(*wheel.next_event(), start + 1s);
  wheel.advance(start + 1s);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, ReportsTheNextEventNoLaterThanTheExpiry) {
  TimerWheel wheel(start);
  TestTimer timer([] {});
  timer.timer.arm(wheel, start + 1h);
  ASSERT_TRUE(wheel.next_event());
  EXPECT_LE(*wheel.next_event(), start + 1h);
  EXPECT_GT(*wheel.next_event(), start);
}

TEST(TimerWheel, ArmingAnewReplacesTheEarlierTime) {
  TimerWheel wheel(start);
  int fired = 0;
  TestTimer timer([&] { ++fired; });
  timer.timer.arm(wheel, start + 5ms);
  timer.timer.arm(wheel, start + 50ms);
  EXPECT_EQ(wheel.armed_count(), 1U);
  wheel.advance(start + 49ms);
  EXPECT_EQ(fired, 0);
  wheel.advance(start + 50ms);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, DisarmedTimersDoNotFire) {
  TimerWheel wheel(start);
  TestTimer timer([] { FAIL() << "fired"; });
  timer.timer.arm(wheel, start + 5ms);
  timer.timer.disarm();
  EXPECT_EQ(wheel.armed_count(), 0U);
  EXPECT_FALSE(wheel.next_event());
  wheel.advance(start + 1s);
}

TEST(TimerWheel, DestructionDisarms) {
  TimerWheel wheel(start);
  {
    TestTimer timer([] { FAIL() << "fired"; });
    timer.timer.arm(wheel, start + 5ms);
  }
  EXPECT_EQ(wheel.armed_count(), 0U);
  wheel.advance(start + 1s);
}

TEST(TimerWheel, FiresInOrderOfExpiryWhateverTheDistance) {
  TimerWheel wheel(start);
  std::vector<int> order;
  const std::vector<Duration> delays{100h, 1ms, 70s, 64ms, 63ms, 5000ms};
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (std::size_t i = 0; i < delays.size(); ++i) {
    timers.push_back(std::make_unique<TestTimer>([&order, i] { order.push_back(static_cast<int>(i)); }));
    timers.back()->timer.arm(wheel, start + delays[i]);
  }
  wheel.advance(start + 101h);
  EXPECT_EQ(order, (std::vector<int>{1, 4, 3, 5, 2, 0}));
}

TEST(TimerWheel, RearmingInTheCallbackFiresAgainLater) {
  TimerWheel wheel(start);
  std::vector<TimePoint> fired;
  TimePoint now = start;
  TestTimer* self = nullptr;
  TestTimer timer([&] {
    fired.push_back(now);
    if (fired.size() < 3) self->timer.arm(wheel, now + 10ms);
  });
  self = &timer;
  timer.timer.arm(wheel, start + 10ms);
  for (; now <= start + 100ms; now += 1ms) wheel.advance(now);
  EXPECT_EQ(fired, (std::vector<TimePoint>{start + 10ms, start + 20ms, start + 30ms}));
}

TEST(TimerWheel, RearmingForThePastInTheCallbackDoesNotKeepAdvanceFromEnding) {
  TimerWheel wheel(start);
  int fired = 0;
  TestTimer* self = nullptr;
  TestTimer timer([&] {
    ++fired;
    self->timer.arm(wheel, start);
  });
  self = &timer;
  timer.timer.arm(wheel, start + 1ms);
  wheel.advance(start + 1ms);
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(timer.timer.armed());
}

TEST(TimerWheel, ACallbackDisarmsOthersThatAreDueAtTheSameTime) {
  TimerWheel wheel(start);
  TestTimer other([] { FAIL() << "fired"; });
  TestTimer first([&] { other.timer.disarm(); });
  first.timer.arm(wheel, start + 5ms);
  other.timer.arm(wheel, start + 5ms);
  wheel.advance(start + 5ms);
  EXPECT_EQ(wheel.armed_count(), 0U);
}

TEST(TimerWheel, ACallbackMayDestroyItsTimer) {
  TimerWheel wheel(start);
  std::unique_ptr<TestTimer> timer;
  timer = std::make_unique<TestTimer>([&] { timer.reset(); });
  timer->timer.arm(wheel, start + 5ms);
  wheel.advance(start + 5ms);
  EXPECT_EQ(timer, nullptr);
  EXPECT_EQ(wheel.armed_count(), 0U);
}

TEST(TimerWheel, HoldsTheFarthestDeadlines) {
  TimerWheel wheel(start);
  int fired = 0;
  TestTimer century([&] { ++fired; });
  TestTimer never([] { FAIL() << "fired"; });
  century.timer.arm(wheel, start + 24h * 36525);
  never.timer.arm(wheel, TimePoint::max());
  run_to(wheel, start + 24h * 36525 - 1ms);
  EXPECT_EQ(fired, 0);
  run_to(wheel, start + 24h * 36525);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(wheel.armed_count(), 1U);
}

TEST(TimerWheel, StaysExactAfterYearsOfRunning) {
  TimerWheel wheel(start);
  // Two years and two months: where 36 bits of milliseconds end.
  const TimePoint late = start + std::chrono::milliseconds((std::int64_t{1} << 36) - 10);
  wheel.advance(late);
  int fired = 0;
  TestTimer timer([&] { ++fired; });
  timer.timer.arm(wheel, late + 30ms);
  run_to(wheel, late + 29ms);
  EXPECT_EQ(fired, 0);
  run_to(wheel, late + 30ms);
  EXPECT_EQ(fired, 1);
}

/// What the wheel is compared with: a list, searched.
class NaiveTimers {
 public:
  void arm(std::size_t id, TimePoint when) {
    disarm(id);
    armed_.push_back({std::chrono::ceil<std::chrono::milliseconds>(when - start), id});
  }
  void disarm(std::size_t id) {
    std::erase_if(armed_, [&](const auto& entry) { return entry.second == id; });
  }
  std::vector<std::size_t> due(TimePoint now) {
    std::vector<std::size_t> ids;
    std::erase_if(armed_, [&](const auto& entry) {
      if (start + entry.first > now) return false;
      ids.push_back(entry.second);
      return true;
    });
    std::ranges::sort(ids);
    return ids;
  }
  [[nodiscard]] std::size_t size() const { return armed_.size(); }
  [[nodiscard]] TimePoint next() const { return start + std::ranges::min(armed_).first; }

 private:
  std::vector<std::pair<std::chrono::milliseconds, std::size_t>> armed_;
};

TEST(TimerWheel, BehavesAsANaiveListUnderRandomOperations) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random);
  };

  TimerWheel wheel(start);
  NaiveTimers model;
  TimePoint now = start;
  std::vector<std::size_t> fired;
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (std::size_t id = 0; id < 60; ++id) {
    timers.push_back(std::make_unique<TestTimer>([&fired, id] { fired.push_back(id); }));
  }
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t id = below(timers.size());
    // From microseconds to weeks, so that all levels take part.
    const auto delay = std::chrono::microseconds(below(std::uint64_t{1} << below(40)));
    switch (below(4)) {
      case 0:
      case 1:
        timers[id]->timer.arm(wheel, now + delay);
        model.arm(id, now + delay);
        break;
      case 2:
        timers[id]->timer.disarm();
        model.disarm(id);
        break;
      default:
        now += delay;
        fired.clear();
        wheel.advance(now);
        std::ranges::sort(fired);
        ASSERT_EQ(fired, model.due(now)) << "step " << step;
    }
    ASSERT_EQ(wheel.armed_count(), model.size());
    ASSERT_EQ(wheel.next_event().has_value(), model.size() > 0);
    if (model.size() > 0) {
      ASSERT_LE(*wheel.next_event(), std::max(model.next(), now));
    }
  }
}

}  // namespace
}  // namespace atlas
