#include <atlas/app/json_object.hpp>

#include <gtest/gtest.h>

namespace atlas::app {
namespace {

TEST(JsonObject, WithoutMembersIsEmpty) { EXPECT_EQ(JsonObject().text(), "{}"); }

TEST(JsonObject, KeepsItsMembersInOrder) {
  JsonObject object;
  object.add("text", "x").add("number", 18446744073709551615U).add("negative", -1).add("fraction", 0.5);
  EXPECT_EQ(object.text(), R"({"text":"x","number":18446744073709551615,"negative":-1,"fraction":0.5})");
  EXPECT_EQ(object.text(), object.text());
}

TEST(JsonObject, EscapesWhatAStringMayNotHold) {
  JsonObject object;
  object.add("a\"b", std::string_view("\\ \n \x01 \0 /", 9)).add("utf-8", "\u00e9");
  EXPECT_EQ(object.text(), "{\"a\\\"b\":\"\\\\ \\u000a \\u0001 \\u0000 /\",\"utf-8\":\"\u00e9\"}");
}

TEST(JsonObject, TakesJsonAsItIs) {
  JsonObject object;
  object.add_json("list", "[1,2]").add_json("none", "null");
  EXPECT_EQ(object.text(), R"({"list":[1,2],"none":null})");
}

TEST(JsonObject, TakesNoMemberOnceItIsComplete) {
  JsonObject object;
  EXPECT_EQ(object.text(), "{}");
  EXPECT_DEATH(object.add("late", 1), "complete");
}

}  // namespace
}  // namespace atlas::app
