#include <atlas/core/byte_buffer.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

namespace atlas {
namespace {

TEST(ByteBuffer, StartsEmptyAndWithoutMemory) {
  const ByteBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.view(), "");
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(ByteBuffer, AppendsTextAndBytes) {
  ByteBuffer buffer;
  buffer.append("ab");
  buffer.append('c');
  buffer.append("");
  EXPECT_EQ(buffer.view(), "abc");
  EXPECT_EQ(buffer.size(), 3U);
}

TEST(ByteBuffer, GrowsAndKeepsWhatItHolds) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    buffer.append(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(ByteBuffer, PreparedBytesCountWhenCommitted) {
  ByteBuffer buffer;
  buffer.append("a");
  std::memcpy(buffer.prepare(100), "bcd", 3);
  EXPECT_EQ(buffer.view(), "a");
  buffer.commit(2);
  EXPECT_EQ(buffer.view(), "abc");
}

TEST(ByteBuffer, ConsumesFromTheFront) {
  ByteBuffer buffer;
  buffer.append("abcd");
  buffer.consume(3);
  EXPECT_EQ(buffer.view(), "d");
  buffer.append("e");
  EXPECT_EQ(buffer.view(), "de");
}

TEST(ByteBuffer, ReusesConsumedRoomInsteadOfGrowing) {
  ByteBuffer buffer(64);
  for (int i = 0; i < 100; ++i) {
    buffer.append(std::string(20, 'a'));
    buffer.consume(i == 0 ? 10 : 20);
  }
  EXPECT_EQ(buffer.view(), std::string(10, 'a'));
  EXPECT_EQ(buffer.capacity(), 64U);
}

TEST(ByteBuffer, ClearKeepsMemory) {
  ByteBuffer buffer(100);
  buffer.append("a");
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 100U);
}

TEST(ByteBuffer, ShrinksToTheBoundOrToWhatItHolds) {
  ByteBuffer buffer(1000);
  buffer.append("abc");
  buffer.shrink(1000);
  EXPECT_EQ(buffer.capacity(), 1000U);
  buffer.shrink(10);
  EXPECT_EQ(buffer.capacity(), 10U);
  buffer.shrink(0);
  EXPECT_EQ(buffer.capacity(), 3U);
  EXPECT_EQ(buffer.view(), "abc");
  buffer.clear();
  buffer.shrink(0);
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(ByteBuffer, MovesLeaveNothingBehind) {
  ByteBuffer from;
  from.append("abc");
  ByteBuffer to(std::move(from));
  EXPECT_EQ(to.view(), "abc");
  EXPECT_EQ(from.capacity(), 0U);  // NOLINT(bugprone-use-after-move): what it promises
  ByteBuffer other;
  other.append("other");
  other = std::move(to);
  EXPECT_EQ(other.view(), "abc");
}

TEST(ByteBuffer, Swaps) {
  ByteBuffer left;
  ByteBuffer right;
  left.append("left");
  swap(left, right);
  EXPECT_EQ(left.view(), "");
  EXPECT_EQ(right.view(), "left");
}

TEST(ByteBufferDeathTest, ConsumingTooMuchIsABug) {
  ByteBuffer buffer;
  buffer.append("a");
  EXPECT_DEATH(buffer.consume(2), "consumed more than it holds");
}

TEST(ByteBufferDeathTest, CommittingTooMuchIsABug) {
  ByteBuffer buffer(10);
  EXPECT_DEATH(buffer.commit(11), "committed more than was prepared");
}

}  // namespace
}  // namespace atlas
