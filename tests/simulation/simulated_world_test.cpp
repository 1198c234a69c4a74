// What a simulated world promises to those who test in it.
#include "support/simulated_world.hpp"

#include <atlas/core/channel.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/run_on.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::SimulatedWorld;
using ::testing::UnorderedElementsAre;

/// The order in which ten fibers come round, as `seed` has it.
std::vector<int> order_of_ten(std::uint64_t seed) {
  std::vector<int> order;
  SimulatedWorld world({.seed = seed});
  world.run([&] {
    FiberGroup group;
    for (int i = 0; i < 10; ++i) group.spawn("numbered", [&, i] { order.push_back(i); });
    group.join().value();
  });
  return order;
}

std::string message_of(SimulatedWorld& world, UniqueFunction main) {
  try {
    world.run(std::move(main));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(SimulatedWorld, AnHourPassesWhenNobodyCanRun) {
  SimulatedWorld world;
  const auto begin = world.now();
  world.run([] { this_fiber::sleep_for(1h).value(); });
  EXPECT_GE(world.now() - begin, 1h);
  EXPECT_LT(world.now() - begin, 1h + 1s);
}

TEST(SimulatedWorld, RethrowsWhatMainThrows) {
  SimulatedWorld world;
  EXPECT_THROW(world.run([] { throw std::out_of_range("here"); }), std::out_of_range);
}

TEST(SimulatedWorld, TheSeedDecidesWhoRunsFirst) {
  EXPECT_EQ(order_of_ten(1), order_of_ten(1));
  EXPECT_NE(order_of_ten(1), order_of_ten(2));
}

TEST(SimulatedWorld, EverybodyRunsWhateverTheOrder) {
  EXPECT_THAT(order_of_ten(3), UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(SimulatedWorld, ADeadlockIsNamed) {
  SimulatedWorld world;
  const auto message = message_of(world, [] {
    local::Event never;
    static_cast<void>(never.wait());
  });
  EXPECT_THAT(message, HasSubstr("nobody can ever run again; loop 0: main waits for 'event'"));
}

TEST(SimulatedWorld, EndlessTurningIsNoticed) {
  SimulatedWorld world;
  const auto message = message_of(world, [] {
    while (!this_fiber::cancelled()) this_fiber::yield();
  });
  EXPECT_THAT(message, HasSubstr("the loops turn without end"));
}

TEST(SimulatedWorld, LoopsWaitForOneAnother) {
  SimulatedWorld world;
  std::vector<std::string> seen;
  world.run([&] {
    Channel<std::string> words(1);
    const auto loop = this_world().start_loop(
        [&] {
          this_fiber::sleep_for(10s).value();
          words.send("from afar").value();
        },
        {});
    seen.push_back(words.receive().value().value());
  });
  EXPECT_THAT(seen, ElementsAre("from afar"));
}

TEST(SimulatedWorld, ALoopHandleThatIsDestroyedHasSeenTheLoopEnd) {
  SimulatedWorld world;
  bool ended = false;
  world.run([&] {
    auto loop = this_world().start_loop(
        [&] {
          this_fiber::sleep_for(1s).value();
          ended = true;
        },
        {});
    loop.reset();
    EXPECT_TRUE(ended);
  });
}

TEST(SimulatedWorld, CallsOnOtherLoopsAreAnswered) {
  SimulatedWorld world;
  int answer = 0;
  world.run([&] {
    Channel<LoopHandle> handles(1);
    Event done;
    const auto loop = this_world().start_loop(
        [&] {
          handles.send(LoopHandle::current()).value();
          done.wait().value();
        },
        {});
    answer = run_on(handles.receive().value().value(), "question", [] { return 42; }).value();
    done.set();
  });
  EXPECT_EQ(answer, 42);
}

TEST(SimulatedWorld, TheSameSeedHasTheSameHistory) {
  const auto history = [](std::uint64_t seed) {
    SimulatedWorld world({.seed = seed});
    world.run([] {
      FiberGroup group;
      for (int i = 1; i <= 5; ++i) {
        group.spawn("sleeper", [i] {
          for (int k = 0; k < 5; ++k) this_fiber::sleep_for(i * 1ms).value();
        });
      }
      group.join().value();
    });
    return world.fingerprint();
  };
  EXPECT_EQ(history(7), history(7));
  EXPECT_NE(history(7), history(8));
}

}  // namespace
}  // namespace atlas
