// Something to be done by the first who needs it.
#pragma once

#include <atlas/core/mutex.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <atomic>
#include <utility>

namespace atlas {

/// For fibers of any worker. Must outlive its calls.
///
///   static Once loaded;
///   loaded.call([] { table = load_table(); }).value();
class Once {
 public:
  /// Suspends while another fiber is at it. Runs `task` unless one has run to its end before; when `task`
  /// throws, that comes out, and the next caller tries. `task` may suspend; it must not call this again.
  /// Errors, of the waiting only: timed_out, operation_canceled.
  template <class Task>
  Result<void> call(Task&& task, Deadline deadline = {}) {
    if (done()) return {};
    const auto lock = turn_.lock(deadline);
    if (!lock) return Unexpected(lock.error());
    if (done()) return {};
    std::forward<Task>(task)();
    done_.store(true, std::memory_order_release);
    return {};
  }

  /// Whether a task has run to its end.
  [[nodiscard]] bool done() const noexcept { return done_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> done_ = false;
  Mutex turn_;
};

}  // namespace atlas
