#include <atlas/http/target.hpp>

#include "support/guard_page.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace atlas::http {
namespace {

std::optional<std::string> decode(std::string_view raw) {
  const atlas::testing::GuardedText text(raw);
  ByteBuffer scratch;
  const auto decoded = decode_path({text.bytes().data(), text.bytes().size()}, scratch);
  if (!decoded) return std::nullopt;
  return std::string(*decoded);
}

TEST(Target, PlainPathIsNotCopied) {
  const std::string_view raw = "/a/b+c";
  ByteBuffer scratch;
  EXPECT_EQ(decode_path(raw, scratch)->data(), raw.data());
  EXPECT_EQ(scratch.capacity(), 0U);
}

TEST(Target, EscapesAreDecoded) {
  EXPECT_EQ(decode("/%41%2f%2F%25+%7e"), "/A//%+~");
  EXPECT_EQ(decode("/caf%C3%A9"), "/caf\xC3\xA9");
  EXPECT_EQ(decode("%41"), "A");
  EXPECT_EQ(decode(""), "");
}

TEST(Target, MalformedEscapesAreRefused) {
  for (std::string_view raw : {"%", "/%", "/%4", "/%zz", "/%4z", "/%z4", "/%%41", "/% 41", "/%+1", "/a%"}) {
    EXPECT_EQ(decode(raw), std::nullopt) << raw;
  }
}

TEST(Target, EscapedNulIsRefused) { EXPECT_EQ(decode("/a%00b"), std::nullopt); }

// The expectations are Python's: urllib.parse.unquote(raw).
TEST(Target, BrokenUtf8IsReplacedAsPythonDoes) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(decode("%FF"), r);
  EXPECT_EQ(decode("%C3a"), r + "a");
  EXPECT_EQ(decode("%C3"), r);
  EXPECT_EQ(decode("%80%80"), r + r);
  EXPECT_EQ(decode("%C0%80"), r + r);                // overlong
  EXPECT_EQ(decode("%E0%80%80"), r + r + r);         // overlong
  EXPECT_EQ(decode("%ED%A0%80"), r + r + r);         // a surrogate
  EXPECT_EQ(decode("%F4%90%80%80"), r + r + r + r);  // above U+10FFFF
  EXPECT_EQ(decode("%E2%82"), r);                    // the beginning of one
  EXPECT_EQ(decode("%E2%82x"), r + "x");
  EXPECT_EQ(decode("%F0%9F%98"), r);
  EXPECT_EQ(decode("%F0%9F%98%80"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(decode("%F4%8F%BF%BF"), "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(decode("%F8%88%80%80%80"), r + r + r + r + r);
}

TEST(Target, RawBytesAboveAsciiAreCheckedToo) {
  EXPECT_EQ(decode("/\xC3\xA9"), "/\xC3\xA9");
  EXPECT_EQ(decode("/\xE9"), "/\xEF\xBF\xBD");
}

TEST(Target, ScratchIsOverwritten) {
  ByteBuffer scratch;
  EXPECT_EQ(decode_path("%41", scratch), "A");
  EXPECT_EQ(decode_path("%42", scratch), "B");
}

}  // namespace
}  // namespace atlas::http
