// The examples of docs/workers.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/event.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/loop_handle.hpp>
#include <atlas/core/run_on.hpp>

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;

// A cache without a lock: all of it happens on one worker.
class Cache {
 public:
  explicit Cache(LoopHandle home) : home_(std::move(home)) {}

  std::optional<std::string> find(const std::string& key) {
    return run_on(home_, "cache",
                  [&]() -> std::optional<std::string> {
                    const auto found = values_.find(key);
                    return found != values_.end() ? std::optional(found->second) : std::nullopt;
                  })
        .value();
  }
  void put(const std::string& key, const std::string& value) {
    run_on(home_, "cache", [&] { values_[key] = value; }).value();
  }

 private:
  LoopHandle home_;
  std::map<std::string, std::string> values_;
};

// For a thread that is none of Atlas': tells a fiber to end.
void stop(const FiberHandle& worker_fiber) { worker_fiber.cancel(); }

TEST(WorkersPage, ACacheLivesOnOneWorker) {
  run_event_loop([] {
    Cache cache(LoopHandle::current());
    Event done;
    std::thread other([&] {
      run_event_loop([&] {
        cache.put("a", "1");
        EXPECT_EQ(cache.find("a"), "1");
        EXPECT_EQ(cache.find("b"), std::nullopt);
      });
      done.set();
    });
    done.wait().value();
    other.join();
  });
}

TEST(WorkersPage, AnotherThreadStopsAFiber) {
  std::promise<FiberHandle> handle;
  std::thread other([&] {
    run_event_loop([&] {
      auto fiber = spawn("fiber", [&] {
        handle.set_value(FiberHandle::current());
        EXPECT_EQ(this_fiber::sleep_for(1h).error(), std::errc::operation_canceled);
      });
      fiber.join().value();
    });
  });
  stop(handle.get_future().get());
  other.join();
}

}  // namespace
}  // namespace atlas
