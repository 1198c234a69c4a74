#include <atlas/http/characters.hpp>

#include "support/guard_page.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::http {
namespace {

// Every byte at every place of a text of that size, right before a page that must not be read.
void expect_blocks_agree_with_table(const CharacterSet& set, char member, std::size_t size) {
  const atlas::testing::GuardedText text(std::string(size, member));
  const std::string_view view(text.bytes().data(), size);
  for (char& place : text.bytes()) {
    for (int byte = 0; byte < 256; ++byte) {
      place = static_cast<char>(byte);
      ASSERT_EQ(set.has_all_of(view), set.has(place)) << byte << " in " << size << " characters";
    }
    place = member;
  }
}

TEST(CharacterSet, TextIsLookedUpAtEveryPlace) {
  for (std::size_t size = 1; size <= 25; ++size) {
    expect_blocks_agree_with_table(token_characters, 'a', size);
    expect_blocks_agree_with_table(field_value_characters, ' ', size);
  }
}

TEST(CharacterSet, EmptyTextHasNothingElse) {
  EXPECT_TRUE(token_characters.has_all_of(""));
  EXPECT_TRUE(CharacterSet().has_all_of(""));
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
