// The tests' own loop: a test that lies is worse than none.
#include "support/manual_driver.hpp"

#include <atlas/core/fiber.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace atlas::testing {
namespace {

using namespace std::chrono_literals;

TEST(TestLoop, TimeStandsStillWhileItRunsUntilIdle) {
  TestLoop loop;
  const TimePoint before = loop.now();
  bool ended = false;
  loop.start("sleeper", [&] {
    this_fiber::sleep_for(1s).value();
    ended = true;
  });
  loop.run_until_idle();
  EXPECT_EQ(loop.now(), before);
  EXPECT_FALSE(ended);
  loop.advance(1s);
  EXPECT_TRUE(ended);
}

TEST(TestLoop, AdvanceRunsTimersInTheirOrderAtTheirTimes) {
  TestLoop loop;
  std::vector<Duration> woke;
  const TimePoint before = loop.now();
  for (const Duration delay : {Duration(3s), Duration(1s), Duration(2s)}) {
    loop.start("sleeper", [&, delay] {
      this_fiber::sleep_for(delay).value();
      woke.push_back(loop.now() - before);
    });
  }
  loop.advance(2500ms);
  EXPECT_EQ(woke, (std::vector<Duration>{1s, 2s}));
  EXPECT_EQ(loop.now() - before, 2500ms);
  loop.advance(1s);
  EXPECT_EQ(woke.size(), 3U);
}

TEST(TestLoop, RunJumpsOverYearsOfSleep) {
  TestLoop loop;
  const TimePoint before = loop.now();
  loop.run([] { this_fiber::sleep_for(24h * 3650).value(); });
  EXPECT_GE(loop.now() - before, 24h * 3650);
}

TEST(TestLoop, RunRethrowsWhatTheFiberThrew) {
  TestLoop loop;
  EXPECT_THROW(loop.run([] { throw std::out_of_range("far"); }), std::out_of_range);
}

TEST(TestLoop, RunNamesTheWaitOfADeadlock) {
  TestLoop loop;
  try {
    loop.run([] {
      Wait wait({"godot"});
      static_cast<void>(wait.park());
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "deadlock: the fiber of the test waits for 'godot' and nothing will come");
  }
}

}  // namespace
}  // namespace atlas::testing
