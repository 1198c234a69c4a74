// Waiting until what a mutex guards has changed.
#pragma once

#include <atlas/core/mutex.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

namespace atlas {

/// Goes with a mutex of its own kind. There are no wake-ups without a cause, but the state may have changed
/// again before the mutex is had: wait with a predicate. May be destroyed as soon as all waits have returned.
template <class Sharing>
class BasicConditionVariable {
 public:
  using Lock = typename BasicMutex<Sharing>::Lock;

  BasicConditionVariable() = default;

  /// Suspends until `ready()`, which is called with the lock held. The mutex is free in between and held
  /// again at the end, however it ends: for that it is waited beyond the deadline and in spite of a
  /// cancellation. Errors: timed_out, operation_canceled, `ready()` being false. What `ready` throws comes
  /// out.
  template <class Predicate>
  Result<void> wait(Lock& lock, Predicate ready, Deadline deadline = {}) {
    while (!ready()) {
      const auto notified = wait(lock, deadline);
      if (!notified && !ready()) return notified;
      if (!notified) break;
    }
    return {};
  }

  /// Suspends until notified; the mutex as above. `lock` must hold.
  Result<void> wait(Lock& lock, Deadline deadline = {});

  /// Wake the fiber that has waited longest, or all. With or without the mutex held.
  void notify_one();
  void notify_all();

 private:
  [[no_unique_address]] Sharing sharing_;
  detail::WaitQueue queue_;
};

extern template class BasicConditionVariable<detail::AnyThread>;
extern template class BasicConditionVariable<detail::OneThread>;

/// For fibers of any worker.
using ConditionVariable = BasicConditionVariable<detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
using ConditionVariable = BasicConditionVariable<detail::OneThread>;
}  // namespace local

}  // namespace atlas
