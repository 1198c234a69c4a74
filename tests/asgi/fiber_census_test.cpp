#include <atlas/asgi/fiber_census.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/http_harness.hpp"
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;
using testing::HttpHarness;
using testing::TestLoop;

/// A loop that is a member, for as long as the test has it.
class Member {
 public:
  Member(FiberCensus& census, int worker) {
    loop_.scheduler().set_worker_index(worker);
    loop_.start("member", [this, &census] {
      const FiberCensus::Membership membership(census);
      Wait wait({"the end of the test"});
      end_ = wait.waker();
      static_cast<void>(wait.park());
    });
    loop_.run_until_idle();
  }
  ~Member() {
    loop_.scheduler().inbox()->post([this] { end_.wake(); });
    loop_.run_until_idle();
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  TestLoop& loop() { return loop_; }

 private:
  TestLoop loop_;
  Waker end_;
};

TEST(FiberCensus, AsksTheAskersOwnThreadToo) {
  FiberCensus census;
  TestLoop loop;
  loop.run([&] {
    const FiberCensus::Membership membership(census);
    const auto threads = census.take();
    ASSERT_EQ(threads.size(), 1U);
    EXPECT_TRUE(threads[0].answered);
    EXPECT_EQ(threads[0].alive, 1U);
    ASSERT_EQ(threads[0].fibers.size(), 1U);
    EXPECT_EQ(threads[0].fibers[0].fiber.name, "test");
    EXPECT_EQ(threads[0].fibers[0].fiber.waits_for, "fiber census");
    EXPECT_EQ(threads[0].stack_marks.size(), 1U);
  });
}

TEST(FiberCensus, AsksEveryThreadAndOrdersThemByWorker) {
  FiberCensus census;
  Member second(census, 1);
  Member first(census, 0);
  TestLoop asker;
  std::vector<ThreadFibers> threads;
  asker.start("asker", [&] { threads = census.take(); });
  asker.run_until_idle();
  first.loop().run_until_idle();
  EXPECT_TRUE(threads.empty());
  second.loop().run_until_idle();
  asker.run_until_idle();
  ASSERT_EQ(threads.size(), 2U);
  EXPECT_EQ(threads[0].worker, 0);
  EXPECT_EQ(threads[1].worker, 1);
  EXPECT_TRUE(threads[0].answered && threads[1].answered);
  EXPECT_EQ(threads[1].fibers[0].fiber.waits_for, "the end of the test");
}

TEST(FiberCensus, WaitsForAStalledThreadNoLongerThanItsPatience) {
  FiberCensus census;
  Member lively(census, 0);
  Member stalled(census, 1);
  TestLoop asker;
  std::vector<ThreadFibers> threads;
  asker.start("asker", [&] { threads = census.take(3s); });
  asker.run_until_idle();
  lively.loop().run_until_idle();
  asker.advance(2999ms);
  EXPECT_TRUE(threads.empty());
  asker.advance(1ms);
  ASSERT_EQ(threads.size(), 2U);
  EXPECT_TRUE(threads[0].answered);
  EXPECT_FALSE(threads[1].answered);
  EXPECT_TRUE(threads[1].fibers.empty());
  stalled.loop().run_until_idle();  // its answer comes too late, and harms nobody
}

TEST(FiberCensus, CanBeTakenOnAThreadWithoutFibers) {
  FiberCensus census;
  Member member(census, 0);
  std::vector<ThreadFibers> threads;
  std::atomic<bool> taken = false;
  std::thread asker([&] {
    threads = census.take(20s);
    taken = true;
  });
  while (!taken) member.loop().run_until_idle();
  asker.join();
  ASSERT_EQ(threads.size(), 1U);
  EXPECT_TRUE(threads[0].answered);
}

TEST(FiberCensus, OfNobodyIsEmpty) {
  const FiberCensus census;
  EXPECT_TRUE(census.take().empty());
  TestLoop loop;
  loop.run([&] { EXPECT_TRUE(census.take().empty()); });
}

TEST(FiberCensus, WhoHasLeftIsNotAsked) {
  FiberCensus census;
  { const Member member(census, 0); }
  EXPECT_TRUE(census.take().empty());
}

TEST(FiberCensus, ListsFibersWithRequestsFirstAndTheLongestWaitingOfThem) {
  FiberCensus census;
  TestLoop loop;
  loop.run([&] {
    const FiberCensus::Membership membership(census);
    FiberGroup group;
    const auto wait_for = [&](std::string name, Duration duration, std::string_view detail) {
      group.spawn(name, [duration, detail] {
        this_fiber::set_detail(detail);
        static_cast<void>(this_fiber::sleep_for(duration));
      });
      this_fiber::sleep_for(1s).value();
    };
    wait_for("idle", 1min, {});
    wait_for("older", 1min, "GET /1");
    wait_for("newer", 1min, "GET /2");
    std::string order;
    const auto threads = census.take();
    for (const auto& row : threads[0].fibers) order += row.fiber.name + " ";
    EXPECT_EQ(order, "older newer idle test ");
    group.cancel();
    static_cast<void>(group.join());
  });
}

// ---- who the clients are ----

TEST(FiberCensusOfConnections, NamesTheClientOfARunningRequest) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    this_fiber::sleep_for(1s).value();
    testing::answer(send, "hello");
  });
  harness.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto client_of_request = [&] {
    std::vector<FiberRow> rows;
    for (auto& facts : harness.loop().scheduler().fibers(100)) rows.push_back({facts});
    harness.connections().name_clients(rows);
    for (const auto& row : rows) {
      if (row.fiber.detail == "GET /slow HTTP/1.1") return row.client;
    }
    return std::string("nobody");
  };
  EXPECT_EQ(client_of_request(), "192.0.2.1:4000");
  harness.advance(1s);
  EXPECT_EQ(client_of_request(), "nobody");
}

}  // namespace
}  // namespace atlas::asgi
