// Several event loops on threads of their own, and a fiber in a blocking call: what the tests of
// synchronisation are made of.
#pragma once

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>

#include <chrono>
#include <latch>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace atlas::testing {

/// Runs `body(worker)` as the first fiber of `count` event loops, each on its own thread; returns when all
/// have ended. Its waits end after half a minute, so that a lost wake-up fails the test rather than hanging
/// it.
template <class Body>
void on_workers(int count, const Body& body) {
  std::latch all_there(count);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < count; ++worker) {
    threads.emplace_back([&, worker] {
      run_event_loop([&, worker] {
        all_there.arrive_and_wait();
        const DeadlineScope overdue(std::chrono::seconds(30));
        body(worker);
      });
    });
  }
  for (auto& thread : threads) thread.join();
}

/// A fiber that makes one blocking call, and has begun to wait in it when this is constructed, if it waits.
class Caller {
 public:
  template <class Call>
  explicit Caller(Call call)
      : fiber_(spawn("caller", [this, call = std::move(call)]() mutable { error_ = call().error(); })) {
    this_fiber::yield();
  }

  [[nodiscard]] bool waits() const noexcept { return !fiber_.done(); }
  void cancel() { fiber_.cancel(); }
  /// What the call came to; no error: success.
  [[nodiscard]] std::error_code error() {
    if (fiber_.joinable()) fiber_.join().value();
    return *error_;
  }

 private:
  std::optional<std::error_code> error_;
  Fiber fiber_;
};

}  // namespace atlas::testing
