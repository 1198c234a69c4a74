#include <atlas/core/unique_function.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <utility>

namespace atlas {
namespace {

TEST(UniqueFunction, IsFalseWhenEmpty) {
  UniqueFunction function;
  EXPECT_FALSE(function);
  function = [] {};
  EXPECT_TRUE(function);
}

TEST(UniqueFunction, CallsASmallCallableAgainAndAgain) {
  int calls = 0;
  UniqueFunction function = [&] { ++calls; };
  function();
  function();
  EXPECT_EQ(calls, 2);
}

TEST(UniqueFunction, CallsALargeCallable) {
  std::array<int, 100> numbers{};
  numbers[99] = 5;
  int seen = 0;
  UniqueFunction function = [numbers, &seen] { seen = numbers[99]; };
  UniqueFunction moved = std::move(function);
  moved();
  EXPECT_EQ(seen, 5);
}

TEST(UniqueFunction, TakesMoveOnlyCallables) {
  int seen = 0;
  UniqueFunction function = [number = std::make_unique<int>(3), &seen] { seen = *number; };
  function();
  EXPECT_EQ(seen, 3);
}

TEST(UniqueFunction, MovingLeavesNothingBehind) {
  UniqueFunction from = [] {};
  const UniqueFunction to = std::move(from);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(to);
}

TEST(UniqueFunction, ResetDestroysWhatWasCaptured) {
  const auto token = std::make_shared<int>();
  UniqueFunction function = [token] {};
  EXPECT_EQ(token.use_count(), 2);
  function.reset();
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(function);
}

TEST(UniqueFunction, AssignmentDestroysTheFormerCallable) {
  const auto token = std::make_shared<int>();
  UniqueFunction function = [token] {};
  function = UniqueFunction([] {});
  EXPECT_EQ(token.use_count(), 1);
}

TEST(UniqueFunction, DestroysWhatWasCapturedExactlyOnceAfterMoves) {
  const auto token = std::make_shared<int>();
  {
    UniqueFunction first = [token] {};
    UniqueFunction second = std::move(first);
    first = std::move(second);
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace atlas
