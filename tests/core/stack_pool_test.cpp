#include <atlas/core/stack_pool.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace atlas::detail {
namespace {

constexpr std::size_t stack_bytes = std::size_t{64} * 1024;

std::size_t lines_of_process_map() {
  std::ifstream maps("/proc/self/maps");
  std::size_t lines = 0;
  for (std::string line; std::getline(maps, line);) ++lines;
  return lines;
}

bool kernel_installs_guards() {
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool installed = ::madvise(page, page_bytes, 102) == 0;
  ::munmap(page, page_bytes);
  return installed;
}

std::size_t bytes_in(const StackMemory& stack) { return static_cast<std::size_t>(stack.top - stack.bottom); }

/// Whether the page of `byte` takes memory.
bool committed(std::byte* byte) {
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  ::mincore(byte - reinterpret_cast<std::uintptr_t>(byte) % page_bytes, 1, &resident);
  return (resident & 1) != 0;
}

TEST(StackPool, RoundsUpToPagesAndAMinimum) {
  EXPECT_EQ(StackPool(1).stack_bytes(), 16U * 1024);
  EXPECT_EQ(StackPool(16U * 1024 + 1).stack_bytes(), 20U * 1024);
}

TEST(StackPool, GivesStacksOfTheSizeAskedForThatAreWritableToTheLastByte) {
  StackPool pool(stack_bytes);
  const auto stack = pool.take();
  EXPECT_GE(bytes_in(stack), stack_bytes);
  EXPECT_LE(bytes_in(stack), stack_bytes + 4096);
  std::memset(stack.bottom, 1, bytes_in(stack));
  pool.give_back(stack);
}

TEST(StackPool, ReusesTheMostRecentlyUsedStackFirst) {
  StackPool pool(stack_bytes);
  const auto first = pool.take();
  const auto second = pool.take();
  pool.give_back(first);
  pool.give_back(second);
  const auto again = pool.take();
  EXPECT_EQ(again.bottom, second.bottom);
  pool.give_back(again);
}

TEST(StackPool, NeverGivesOneStackTwice) {
  StackPool pool(stack_bytes);
  std::set<std::byte*> bottoms;
  std::vector<StackMemory> stacks;
  for (int i = 0; i < 200; ++i) {
    stacks.push_back(pool.take());
    EXPECT_TRUE(bottoms.insert(stacks.back().bottom).second);
  }
  for (const auto& stack : stacks) pool.give_back(stack);
}

TEST(StackPool, ReleasesSlabsThatAreNotInUse) {
  StackPool pool(stack_bytes);
  std::vector<StackMemory> stacks;
  for (int i = 0; i < 130; ++i) stacks.push_back(pool.take());
  EXPECT_EQ(pool.slab_count(), 3U);
  while (stacks.size() > 1) {
    pool.give_back(stacks.back());
    stacks.pop_back();
  }
  pool.release_empty_slabs();
  EXPECT_EQ(pool.slab_count(), 1U);
  pool.give_back(stacks.back());
  pool.release_empty_slabs();
  EXPECT_EQ(pool.slab_count(), 0U);
}

TEST(StackPool, ManyStacksCostFewEntriesOfTheProcessMap) {
  if (!kernel_installs_guards()) GTEST_SKIP() << "needs MADV_GUARD_INSTALL (Linux 6.13)";
  StackPool pool(stack_bytes);
  const std::size_t before = lines_of_process_map();
  std::vector<StackMemory> stacks;
  for (int i = 0; i < 6400; ++i) stacks.push_back(pool.take());
  // A few for each slab, as sanitizers map shadows of it; mprotect would need two for each stack.
  EXPECT_LE(lines_of_process_map(), before + 4 * pool.slab_count());
  for (const auto& stack : stacks) pool.give_back(stack);
}

TEST(StackPool, DiscardsDeepPagesAndKeepsTheTop) {
  StackPool pool(stack_bytes);
  const auto stack = pool.take();
  std::memset(stack.bottom, 1, bytes_in(stack));
  StackPool::discard_deep_pages(stack, 16U * 1024);
  EXPECT_FALSE(committed(stack.bottom));
  EXPECT_FALSE(committed(stack.top - 24U * 1024));
  EXPECT_TRUE(committed(stack.top - 16U * 1024));
  EXPECT_EQ(stack.bottom[0], std::byte{0});
  EXPECT_EQ(stack.top[-1], std::byte{1});
  pool.give_back(stack);
}

TEST(StackPool, SpreadsTheTopsOfStacksOverAPage) {
  StackPool pool(stack_bytes);
  std::set<std::uintptr_t> offsets;
  std::vector<StackMemory> stacks;
  for (int i = 0; i < 16; ++i) {
    stacks.push_back(pool.take());
    offsets.insert(reinterpret_cast<std::uintptr_t>(stacks.back().top) % 4096);
  }
  EXPECT_EQ(offsets.size(), 16U);
  for (const auto& stack : stacks) pool.give_back(stack);
}

TEST(StackPool, KnowsTheGuardPageOfAStack) {
  StackPool pool(stack_bytes);
  const auto stack = pool.take();
  EXPECT_TRUE(pool.in_guard(stack, stack.bottom - 1));
  EXPECT_FALSE(pool.in_guard(stack, stack.bottom));
  EXPECT_FALSE(pool.in_guard(stack, stack.bottom - 64 * 1024 - 1));
  pool.give_back(stack);
}

TEST(StackPoolDeathTest, WritingBelowAStackEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        StackPool pool(stack_bytes);
        const auto stack = pool.take();
        *static_cast<volatile std::byte*>(stack.bottom - 1) = std::byte{1};
      },
      "");
}

TEST(StackPoolDeathTest, ReusedStacksStillHaveTheirGuardPage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        StackPool pool(stack_bytes);
        const auto first = pool.take();
        StackPool::discard_deep_pages(first, 0);
        pool.give_back(first);
        const auto again = pool.take();
        *static_cast<volatile std::byte*>(again.bottom - 1) = std::byte{1};
      },
      "");
}

TEST(StackPoolDeathTest, DestructionWithAStackInUseAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        StackPool pool(stack_bytes);
        static_cast<void>(pool.take());
      },
      "a stack pool was destroyed while a stack was in use");
}

TEST(StackPoolDeathTest, AForeignStackIsRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        StackPool pool(stack_bytes);
        StackPool other(stack_bytes);
        other.give_back(pool.take());
      },
      "a stack was given back to a pool that does not own it");
}

}  // namespace
}  // namespace atlas::detail
