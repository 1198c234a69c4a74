#include <atlas/core/stack_trace.hpp>

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <array>
#include <exception>
#include <string>

namespace atlas::detail {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(StackTrace, NamesAnExportedFunction) {
  EXPECT_THAT(describe_address(reinterpret_cast<const void*>(&std::terminate)),
              HasSubstr("std::terminate()+0x0"));
}

TEST(StackTrace, GivesAFileAndAnOffsetWhereThereIsNoName) {
  static const int local = 0;
  EXPECT_THAT(describe_address(&local), MatchesRegex(".*core_tests\\+0x[0-9a-f]+"));
}

TEST(StackTrace, GivesTheNumberOfWhatIsNowhere) {
  EXPECT_EQ(describe_address(reinterpret_cast<const void*>(16)), "0x10");
}

TEST(StackTrace, IsBoundedByTheRoomGiven) {
  std::array<const void*, 2> two{};
  EXPECT_EQ(capture_stack(two), 2U);
  EXPECT_NE(two[1], nullptr);
  std::array<const void*, 64> many{};
  EXPECT_GT(capture_stack(many), 2U);
}

std::array<const void*, 64> captured;
std::size_t captured_count = 0;

TEST(StackTrace, InASignalsHandlerBeginsWithWhatTheSignalInterrupted) {
  prepare_stack_capture();
  struct sigaction action {};
  struct sigaction previous {};
  action.sa_handler = [](int) { captured_count = capture_stack(captured); };
  ::sigaction(SIGUSR2, &action, &previous);
  ::raise(SIGUSR2);
  ::sigaction(SIGUSR2, &previous, nullptr);
  ASSERT_GT(captured_count, 1U);
  std::string all;
  for (std::size_t i = 0; i < captured_count; ++i) all += describe_address(captured[i]) + "\n";
  EXPECT_EQ(all.find("capture_stack"), std::string::npos) << all;
}

}  // namespace
}  // namespace atlas::detail
