#include <atlas/core/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace atlas {
namespace {

TEST(Result, HoldsAValue) {
  const Result<std::string> result("bytes");
  EXPECT_TRUE(result);
  EXPECT_EQ(*result, "bytes");
  EXPECT_EQ(result->size(), 5U);
  EXPECT_FALSE(result.error());
}

TEST(Result, HoldsAnError) {
  const Result<int> result = Unexpected(std::errc::timed_out);
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), std::errc::timed_out);
}

TEST(Result, ValueOfAnErrorThrowsIt) {
  const Result<int> result = Unexpected(std::errc::connection_reset);
  try {
    static_cast<void>(result.value());
    FAIL() << "nothing was thrown";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::connection_reset);
  }
}

TEST(Result, ValueMovesOutOfATemporary) {
  auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const std::unique_ptr<int> moved = make().value();
  EXPECT_EQ(*moved, 7);
}

TEST(Result, ValueOrAnswersTheFallbackForAnError) {
  EXPECT_EQ(Result<int>(3).value_or(9), 3);
  EXPECT_EQ(Result<int>(Unexpected(std::errc::io_error)).value_or(9), 9);
}

TEST(Result, VoidIsSuccessByDefault) {
  const Result<void> result;
  EXPECT_TRUE(result);
  EXPECT_NO_THROW(result.value());
}

TEST(Result, VoidThrowsItsError) {
  const Result<void> result = Unexpected(std::errc::broken_pipe);
  EXPECT_FALSE(result);
  EXPECT_THROW(result.value(), std::system_error);
}

TEST(ResultDeathTest, DereferencingAnErrorAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Result<int> result = Unexpected(std::errc::timed_out);
  EXPECT_DEATH(static_cast<void>(*result), "a Result without a value was dereferenced");
}

}  // namespace
}  // namespace atlas
