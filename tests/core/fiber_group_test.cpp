#include <atlas/core/fiber.hpp>

#include <atlas/core/fiber_local.hpp>

#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

/// The message of the std::runtime_error that `join` throws; empty when it throws none.
std::string message_of_join(FiberGroup& group) {
  try {
    group.join().value();
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(FiberGroup, JoinWaitsForAll) {
  TestLoop loop;
  int ended = 0;
  loop.run([&] {
    FiberGroup group;
    for (int i = 0; i < 10; ++i) {
      group.spawn("member", [&ended, i] {
        this_fiber::sleep_for(std::chrono::seconds(i)).value();
        ++ended;
      });
    }
    EXPECT_EQ(group.size(), 10U);
    group.join().value();
    EXPECT_EQ(ended, 10);
    EXPECT_EQ(group.size(), 0U);
  });
}

TEST(FiberGroup, JoinOfAnEmptyGroupReturnsAtOnce) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    EXPECT_TRUE(group.join());
  });
}

TEST(FiberGroup, FiberSpawnedApartInheritsNothing) {
  static constexpr FiberLocal<int> mark;
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    const FiberLocal<int>::Scope marked(mark, 1);
    bool inherited = false;
    bool slept = false;
    {
      const DeadlineScope in_time(1s);
      group.spawn("part", [&] { inherited = mark.get() != nullptr && !this_fiber::sleep_for(1h); });
      group.spawn_apart("apart", [&] { slept = mark.get() == nullptr && this_fiber::sleep_for(1h); });
    }
    group.join().value();
    EXPECT_TRUE(inherited);
    EXPECT_TRUE(slept);
  });
}

TEST(FiberGroup, JoinGivesUpAtItsDeadline) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("slow", [] { static_cast<void>(this_fiber::sleep_for(1h)); });
    EXPECT_EQ(group.join(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(group.size(), 1U);
  });
}

TEST(FiberGroup, SeveralMayJoin) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("slow", [] { this_fiber::sleep_for(1s).value(); });
    Caller first([&] { return group.join(); });
    Caller hasty([&] { return group.join(Deadline::after(500ms)); });
    EXPECT_TRUE(group.join());
    EXPECT_EQ(first.error(), std::error_code());
    EXPECT_EQ(hasty.error(), std::errc::timed_out);
  });
}

TEST(FiberGroup, AJoinerBehindOneThatSpawnsAgainWaitsForThat) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("slow", [] { this_fiber::sleep_for(1s).value(); });
    Caller renewing([&] {
      auto joined = group.join();
      group.spawn("next", [] { this_fiber::sleep_for(1s).value(); });
      return joined;
    });
    EXPECT_TRUE(group.join());
    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(renewing.error(), std::error_code());
  });
}

TEST(FiberGroup, JoinIsCancelledAndTheMembersGoOn) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("slow", [] { this_fiber::sleep_for(1s).value(); });
    Caller joiner([&] { return group.join(); });
    joiner.cancel();
    EXPECT_EQ(joiner.error(), std::errc::operation_canceled);
    EXPECT_EQ(group.size(), 1U);
    EXPECT_TRUE(group.join());
  });
}

TEST(FiberGroup, TheLastEndInTheTurnOfACancellationOfTheJoinerCounts) {
  TestLoop loop;
  loop.run([] {
    for (const bool cancel_first : {true, false}) {
      FiberGroup group;
      group.spawn("first", [] {});
      group.spawn("last", [] { this_fiber::yield(); });
      Caller joiner([&] { return group.join(); });
      if (cancel_first) joiner.cancel();
      this_fiber::yield();  // the last member ends, and wakes the joiner
      if (!cancel_first) joiner.cancel();
      EXPECT_FALSE(joiner.error());
    }
  });
}

TEST(FiberGroup, AnExceptionCancelsTheOthersAndComesOutOfJoin) {
  TestLoop loop;
  loop.run([&] {
    std::vector<std::error_code> seen;
    FiberGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn("sleeper", [&] { seen.push_back(this_fiber::sleep_for(1h).error()); });
    }
    group.spawn("thrower", [] {
      this_fiber::sleep_for(1s).value();
      throw std::runtime_error("failed");
    });
    EXPECT_EQ(message_of_join(group), "failed");
    EXPECT_EQ(seen, std::vector<std::error_code>(3, std::make_error_code(std::errc::operation_canceled)));
  });
}

TEST(FiberGroup, OnlyTheFirstExceptionCounts) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("first", [] { throw std::runtime_error("first"); });
    group.spawn("second", [] { throw std::runtime_error("second"); });
    EXPECT_EQ(message_of_join(group), "first");
    EXPECT_EQ(message_of_join(group), "");
  });
}

TEST(FiberGroup, AMemberSpawnedAfterAnExceptionIsCancelledFromItsStart) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("thrower", [] { throw std::runtime_error("failed"); });
    this_fiber::yield();
    std::error_code seen;
    group.spawn("late", [&] { seen = this_fiber::sleep_for(1h).error(); });
    EXPECT_EQ(message_of_join(group), "failed");
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(FiberGroup, CanBeUsedAgainAfterAJoinThatThrew) {
  TestLoop loop;
  loop.run([] {
    FiberGroup group;
    group.spawn("thrower", [] { throw std::runtime_error("failed"); });
    EXPECT_EQ(message_of_join(group), "failed");
    bool slept = false;
    group.spawn("sleeper", [&] { slept = this_fiber::sleep_for(1s).has_value(); });
    EXPECT_EQ(message_of_join(group), "");
    EXPECT_TRUE(slept);
  });
}

TEST(FiberGroup, DestructionCancelsAndWaits) {
  TestLoop loop;
  loop.run([&] {
    int ended = 0;
    {
      FiberGroup group;
      for (int i = 0; i < 3; ++i) {
        group.spawn("sleeper", [&] {
          EXPECT_EQ(this_fiber::sleep_for(1h).error(), std::errc::operation_canceled);
          this_fiber::yield();
          ++ended;
        });
      }
      this_fiber::yield();
    }
    EXPECT_EQ(ended, 3);
  });
}

TEST(FiberGroup, IsWaitedForWhenAnExceptionEndsItsOwner) {
  TestLoop loop;
  loop.run([] {
    int ended = 0;
    try {
      const std::string used = "by the members";
      FiberGroup group;
      for (int i = 0; i < 3; ++i) {
        group.spawn("member", [&] {
          static_cast<void>(this_fiber::sleep_for(1h));
          this_fiber::yield();
          if (used == "by the members") ++ended;
          throw std::runtime_error("a member's, on the way out");
        });
      }
      this_fiber::yield();
      throw std::runtime_error("the owner's");
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "the owner's");
    }
    EXPECT_EQ(ended, 3);
  });
}

TEST(FiberGroup, EveryWorkerMayHaveItsOwn) {
  on_workers(3, [](int) {
    for (int round = 0; round < 50; ++round) {
      int ended = 0;
      FiberGroup group;
      for (int i = 0; i < 5; ++i) {
        group.spawn("member", [&] {
          this_fiber::yield();
          ++ended;
        });
      }
      group.join().value();
      EXPECT_EQ(ended, 5);
    }
  });
}

TEST(FiberGroup, CancelReachesMembersThatHaveNotRunYet) {
  TestLoop loop;
  loop.run([] {
    std::error_code seen;
    FiberGroup group;
    group.spawn("member", [&] { seen = this_fiber::sleep_for(1h).error(); });
    group.cancel();
    group.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(FiberGroup, MembersMaySpawnMembers) {
  TestLoop loop;
  loop.run([] {
    int runs = 0;
    FiberGroup group;
    group.spawn("parent", [&] {
      ++runs;
      group.spawn("child", [&] { ++runs; });
    });
    group.join().value();
    EXPECT_EQ(runs, 2);
  });
}

}  // namespace
}  // namespace atlas
