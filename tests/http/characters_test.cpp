#include <atlas/http/characters.hpp>

#include "support/guard_page.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::http {
namespace {

constexpr CharacterClass all_classes[] = {CharacterClass::token,  CharacterClass::field_value,
                                          CharacterClass::target, CharacterClass::path,
                                          CharacterClass::host,   CharacterClass::unescaped};

// Every byte at every place of a text of that size, right before a page that must not be read.
void expect_blocks_agree_with_table(CharacterClass wanted, std::size_t size) {
  const char member = 'a';  // of all classes
  const atlas::testing::GuardedText text(std::string(size, member));
  const std::string_view view(text.bytes().data(), size);
  for (std::size_t place = 0; place < size; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      text.bytes()[place] = static_cast<char>(byte);
      ASSERT_EQ(are_in(wanted, view), is_in(wanted, static_cast<char>(byte)))
          << byte << " in " << size << " characters";
    }
    text.bytes()[place] = member;
  }
}

TEST(CharacterClass, TextIsLookedUpAtEveryPlace) {
  for (std::size_t size = 1; size <= 49; ++size) {
    for (const CharacterClass each : all_classes) expect_blocks_agree_with_table(each, size);
  }
}

TEST(CharacterClass, EmptyTextHasNothingElse) {
  for (const CharacterClass each : all_classes) EXPECT_TRUE(are_in(each, ""));
}

std::string members(CharacterClass wanted, int first, int last) {
  std::string all;
  for (int byte = first; byte <= last; ++byte) {
    if (is_in(wanted, static_cast<char>(byte))) all += static_cast<char>(byte);
  }
  return all;
}

TEST(CharacterClass, HasTheCharactersOfTheGrammar) {
  const std::string digits = "0123456789";
  const std::string capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const std::string small = "abcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(members(CharacterClass::token, 0, 255), "!#$%&'*+-." + digits + capitals + "^_`" + small + "|~");
  EXPECT_EQ(members(CharacterClass::host, 0, 255),
            "!$&'()*+-." + digits + ";=" + capitals + "_" + small + "~");
  EXPECT_EQ(members(CharacterClass::target, 0, 255),
            "!\"$%&'()*+,-./" + digits + ":;<=>?@" + capitals + "[\\]^_`" + small + "{|}~");
  EXPECT_EQ(members(CharacterClass::path, 0, 255),
            "!\"$%&'()*+,-./" + digits + ":;<=>@" + capitals + "[\\]^_`" + small + "{|}~");
  EXPECT_EQ(members(CharacterClass::field_value, 0, 127),
            "\t !\"#$%&'()*+,-./" + digits + ":;<=>?@" + capitals + "[\\]^_`" + small + "{|}~");
  EXPECT_EQ(members(CharacterClass::field_value, 128, 255).size(), 128U);
  EXPECT_EQ(members(CharacterClass::unescaped, 0, 127).size(), 127U);
  EXPECT_FALSE(is_in(CharacterClass::unescaped, '%'));
  EXPECT_EQ(members(CharacterClass::unescaped, 128, 255), "");
}

TEST(Characters, TextIsMadeLowerAtEveryPlace) {
  for (std::size_t size = 1; size <= 25; ++size) {
    const atlas::testing::GuardedText text(std::string(size, 'Z'));
    const std::string_view view(text.bytes().data(), size);
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string expected(size, 'z');
        expected[place] = to_lower(static_cast<char>(byte));
        text.bytes()[place] = static_cast<char>(byte);
        make_lower(text.bytes());
        ASSERT_EQ(view, expected) << byte << " at " << place;
      }
      text.bytes()[place] = 'Z';
    }
  }
}

}  // namespace
}  // namespace atlas::http
