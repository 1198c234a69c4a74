#include <atlas/asgi/state.hpp>

#include <gtest/gtest.h>

#include <string>

namespace atlas::asgi {
namespace {

TEST(State, GivesBackWhatWasSet) {
  State state;
  state.set("number", 42);
  state.set("text", std::string("hello"));
  EXPECT_EQ(state.get<int>("number"), 42);
  EXPECT_EQ(state.get<std::string>("text"), "hello");
}

TEST(State, LastValueOfANameCounts) {
  State state;
  state.set("value", 1);
  state.set("value", std::string("two"));
  EXPECT_EQ(state.get<std::string>("value"), "two");
}

TEST(State, FindsNothingUnderAnotherNameOrType) {
  State state;
  EXPECT_EQ(state.find<int>("number"), nullptr);
  state.set("number", 42);
  EXPECT_EQ(state.find<int>("other"), nullptr);
  EXPECT_EQ(state.find<long>("number"), nullptr);
}

TEST(State, NamesWhatIsMissing) {
  const State state;
  try {
    static_cast<void>(state.get<int>("database"));
    FAIL() << "nothing was thrown";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "scope.state has no 'database' of that type");
  }
}

TEST(State, CopiesShareUntilOneChanges) {
  State original;
  original.set("value", 1);
  State copy = original;
  EXPECT_TRUE(copy.same_as(original));
  EXPECT_EQ(copy.find<int>("value"), original.find<int>("value"));
  copy.set("value", 2);
  EXPECT_FALSE(copy.same_as(original));
  EXPECT_EQ(original.get<int>("value"), 1);
  EXPECT_EQ(copy.get<int>("value"), 2);
}

TEST(State, ChangeOfTheOriginalStaysWithIt) {
  State original;
  original.set("value", 1);
  const State copy = original;
  original.set("value", 2);
  EXPECT_EQ(copy.get<int>("value"), 1);
}

TEST(State, EmptyOnesAreTheSame) { EXPECT_TRUE(State().same_as(State())); }

}  // namespace
}  // namespace atlas::asgi
