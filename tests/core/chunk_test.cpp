#include <atlas/core/chunk.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {
namespace {

constexpr std::size_t chunk_bytes = 1024;

Chunk filled_with(ChunkPool& pool, std::string_view text) {
  Chunk chunk = pool.take();
  std::copy(text.begin(), text.end(), chunk.room().begin());
  chunk.filled(text.size());
  return chunk;
}

std::string text_of(Chunk& chunk) { return {chunk.bytes().begin(), chunk.bytes().end()}; }

/// As many buffers as may be lent before others are fitted.
std::vector<Chunk> lend_many(ChunkPool& pool) {
  std::vector<Chunk> lent;
  while (lent.size() < ChunkPool::unfitted_max) lent.push_back(pool.take());
  return lent;
}

TEST(Chunk, FitLeavesABufferWholeWhileFewAreLent) {
  ChunkPool pool(chunk_bytes);
  auto lent = lend_many(pool);
  lent.pop_back();
  Chunk chunk = filled_with(pool, "request");
  chunk.fit();
  EXPECT_EQ(chunk.room().size(), chunk_bytes - 7);
  EXPECT_EQ(pool.lent_bytes(), ChunkPool::unfitted_max * chunk_bytes);
}

TEST(Chunk, FitMovesFewBytesIntoMemoryOfTheirSizeWhileManyAreLent) {
  ChunkPool pool(chunk_bytes);
  const auto lent = lend_many(pool);
  const std::size_t lent_before = pool.lent_bytes();
  Chunk chunk = filled_with(pool, "old request");
  chunk.consume(4);
  chunk.fit();
  EXPECT_EQ(text_of(chunk), "request");
  EXPECT_TRUE(chunk.room().empty());
  EXPECT_EQ(pool.lent_bytes(), lent_before + 7);
  chunk = {};
  EXPECT_EQ(pool.lent_bytes(), lent_before);
}

TEST(Chunk, FitGivesTheBufferToTheNextWhoTakesOne) {
  ChunkPool pool(chunk_bytes);
  const auto lent = lend_many(pool);
  Chunk first = filled_with(pool, "first");
  const char* const buffer = first.bytes().data();
  first.fit();
  Chunk second = filled_with(pool, "second");
  EXPECT_EQ(second.bytes().data(), buffer);
  EXPECT_EQ(text_of(first), "first");
}

TEST(Chunk, FitLeavesMoreBytesWhereTheyAre) {
  ChunkPool pool(chunk_bytes);
  const auto lent = lend_many(pool);
  for (const std::size_t bytes : {pool.fitted_bytes_max(), pool.fitted_bytes_max() + 1}) {
    SCOPED_TRACE(bytes);
    Chunk chunk = filled_with(pool, std::string(bytes, 'x'));
    chunk.fit();
    EXPECT_EQ(chunk.room().empty(), bytes == pool.fitted_bytes_max());
  }
}

TEST(Chunk, FitOfNoBufferDoesNothing) {
  ChunkPool pool(chunk_bytes);
  const auto lent = lend_many(pool);
  Chunk none;
  none.fit();
  EXPECT_FALSE(none);
}

}  // namespace
}  // namespace atlas
