// The bounds of what StaticFiles remembers.
#include <atlas/asgi/static_cache.hpp>

#include "support/temporary_folder.hpp"

#include <atlas/core/event_loop.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;

constexpr TimePoint now{};

/// A file of `bytes`, with its content or a descriptor.
StaticResourcePtr resource(std::size_t bytes, bool open = false) {
  static const TemporaryFolder folder;
  auto variant = std::make_unique<StaticVariant>();
  if (open) {
    std::ofstream(folder.file("a")) << "text";
    run_event_loop([&] { variant->file = File::open(folder.file("a")).value(); });
  } else {
    variant->content.assign(bytes, 'x');
  }
  auto made = std::make_shared<StaticResource>();
  made->kind = StaticResource::Kind::file;
  made->variants.push_back(std::move(variant));
  return made;
}

bool knows(StaticCache& cache, std::string_view name) {
  return cache.find(name, now, 1s).resource != nullptr;
}

TEST(StaticCache, KnowsWhatWasPutUntilItIsNotFresh) {
  StaticCache cache;
  const auto one = resource(1);
  cache.put("a", one, now, {});
  EXPECT_EQ(cache.find("a", now + 999ms, 1s).resource, one);
  EXPECT_TRUE(cache.find("a", now + 999ms, 1s).fresh);
  EXPECT_EQ(cache.find("a", now + 1s, 1s).resource, one);
  EXPECT_FALSE(cache.find("a", now + 1s, 1s).fresh);
  EXPECT_EQ(cache.find("b", now, 1s).resource, nullptr);
}

TEST(StaticCache, ANameHasOneEntry) {
  StaticCache cache;
  cache.put("a", resource(3), now, {});
  const auto newer = resource(5);
  cache.put("a", newer, now, {});
  EXPECT_EQ(cache.find("a", now, 1s).resource, newer);
  EXPECT_EQ(cache.size(), (StaticCache::Size{.names = 1, .open_files = 0, .content_bytes = 5}));
}

TEST(StaticCache, ForgetsTheNameNotAskedForTheLongest) {
  StaticCache cache;
  const StaticCacheOptions options{.names_max = 2};
  cache.put("a", resource(1), now, options);
  cache.put("b", resource(1), now, options);
  EXPECT_TRUE(knows(cache, "a"));
  cache.put("c", resource(1), now, options);
  EXPECT_TRUE(knows(cache, "a"));
  EXPECT_FALSE(knows(cache, "b"));
  EXPECT_TRUE(knows(cache, "c"));
}

TEST(StaticCache, BoundsTheBytesOfContents) {
  StaticCache cache;
  const StaticCacheOptions options{.content_bytes_max = 10};
  cache.put("a", resource(4), now, options);
  cache.put("b", resource(6), now, options);
  EXPECT_EQ(cache.size().content_bytes, 10U);
  cache.put("c", resource(1), now, options);
  EXPECT_EQ(cache.size(), (StaticCache::Size{.names = 2, .open_files = 0, .content_bytes = 7}));
  EXPECT_FALSE(knows(cache, "a"));
}

TEST(StaticCache, BoundsTheOpenFiles) {
  StaticCache cache;
  const StaticCacheOptions options{.open_files_max = 1};
  cache.put("a", resource(0, true), now, options);
  cache.put("b", resource(1), now, options);
  cache.put("c", resource(0, true), now, options);
  EXPECT_EQ(cache.size(), (StaticCache::Size{.names = 2, .open_files = 1, .content_bytes = 1}));
  EXPECT_FALSE(knows(cache, "a"));
}

TEST(StaticCache, WhatIsTooLargeOnItsOwnDrivesNobodyOut) {
  StaticCache cache;
  const StaticCacheOptions options{.content_bytes_max = 10};
  cache.put("a", resource(10), now, options);
  cache.put("b", resource(11), now, options);
  EXPECT_TRUE(knows(cache, "a"));
  EXPECT_FALSE(knows(cache, "b"));
}

}  // namespace
}  // namespace atlas::asgi
