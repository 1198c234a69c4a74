#include <atlas/core/inbox.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace atlas {
namespace {

class CountingDriver final : public Driver {
 public:
  [[nodiscard]] TimePoint now() noexcept override { return {}; }
  [[nodiscard]] TimePoint turn_time() noexcept override { return {}; }
  void poll(std::optional<TimePoint>) override {}
  void interrupt() noexcept override { ++interrupts; }
  std::atomic<int> interrupts = 0;
};

TEST(Inbox, RunsWhatWasPostedInItsOrder) {
  CountingDriver driver;
  Inbox inbox(driver);
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) inbox.post([&order, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(inbox.drain());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Inbox, DrainSaysWhetherThereWasSomething) {
  CountingDriver driver;
  Inbox inbox(driver);
  EXPECT_FALSE(inbox.drain());
  inbox.post([] {});
  EXPECT_TRUE(inbox.drain());
  EXPECT_FALSE(inbox.drain());
}

TEST(Inbox, InterruptsOnceForAllThatIsPostedBetweenDrains) {
  CountingDriver driver;
  Inbox inbox(driver);
  for (int i = 0; i < 10; ++i) inbox.post([] {});
  EXPECT_EQ(driver.interrupts, 1);
  inbox.drain();
  inbox.post([] {});
  EXPECT_EQ(driver.interrupts, 2);
}

TEST(Inbox, LeavesWhatIsPostedDuringADrainForTheNext) {
  CountingDriver driver;
  Inbox inbox(driver);
  int runs = 0;
  inbox.post([&] {
    ++runs;
    inbox.post([&] { ++runs; });
  });
  inbox.drain();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(driver.interrupts, 2);
  inbox.drain();
  EXPECT_EQ(runs, 2);
}

TEST(Inbox, DestroysEachTaskRightAfterItRan) {
  CountingDriver driver;
  Inbox inbox(driver);
  const auto token = std::make_shared<int>();
  inbox.post([token] {});
  bool gone = false;
  inbox.post([&] { gone = token.use_count() == 1; });
  inbox.drain();
  EXPECT_TRUE(gone);
}

TEST(Inbox, RefusesOnceClosed) {
  CountingDriver driver;
  Inbox inbox(driver);
  inbox.close();
  EXPECT_FALSE(inbox.post([] { FAIL() << "was run"; }));
  EXPECT_FALSE(inbox.drain());
  EXPECT_EQ(driver.interrupts, 0);
}

TEST(Inbox, CloseDestroysWhatWasNotRun) {
  CountingDriver driver;
  Inbox inbox(driver);
  const auto token = std::make_shared<int>();
  inbox.post([token] { FAIL() << "was run"; });
  inbox.close();
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(inbox.drain());
}

TEST(Inbox, ATaskDestroyedByCloseMayPost) {
  CountingDriver driver;
  Inbox inbox(driver);
  const auto post_again = [&](void*) { EXPECT_FALSE(inbox.post([] {})); };
  inbox.post([guard = std::unique_ptr<void, decltype(post_again)>(&inbox, post_again)] {});
  inbox.close();
}

TEST(Inbox, TakesFromManyThreadsAtOnce) {
  CountingDriver driver;
  Inbox inbox(driver);
  constexpr int threads = 4;
  constexpr int posts = 1000;
  int runs = 0;
  std::atomic<int> posting = threads;
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int n = 0; n < posts; ++n) inbox.post([&runs] { ++runs; });
      --posting;
    });
  }
  while (posting > 0) inbox.drain();
  for (auto& poster : posters) poster.join();
  inbox.drain();
  EXPECT_EQ(runs, threads * posts);
}

}  // namespace
}  // namespace atlas
