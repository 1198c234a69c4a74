// Mutual exclusion of fibers: who has to wait is suspended, its thread goes on.
#pragma once

#include <atlas/core/assert.hpp>
#include <atlas/core/held.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <mutex>
#include <optional>
#include <utility>

namespace atlas {

template <class Sharing>
class BasicConditionVariable;

/// May be held across a suspension, by one fiber at a time, and by code outside of fibers by way of
/// `try_lock`. Goes from hand to hand in the order in which fibers asked; not recursive. Must not move; may
/// be destroyed as soon as no lock of it is held and nobody waits (both are asserted).
///
///   auto lock = mutex.lock().value();
template <class Sharing>
class BasicMutex {
  struct Unlock {
    static void give_back(BasicMutex& mutex) { mutex.unlock(); }
  };

 public:
  /// Holds the mutex until its end, or until `unlock`; movable.
  using Lock = detail::Held<BasicMutex, Unlock>;

  BasicMutex() = default;
  ~BasicMutex() { ATLAS_ASSERT(!held_, "a mutex was destroyed while it is held"); }
  BasicMutex(const BasicMutex&) = delete;
  BasicMutex& operator=(const BasicMutex&) = delete;

  /// Suspends while it is held. Errors: timed_out, operation_canceled; it was not taken then. A mutex that is
  /// free is taken whatever the deadline.
  Result<Lock> lock(Deadline deadline = {}) {
    if (const auto taken = take(deadline); !taken) return Unexpected(taken.error());
    return Lock(*this);
  }

  /// None when it is held.
  [[nodiscard]] std::optional<Lock> try_lock() {
    const std::lock_guard guard(sharing_);
    if (std::exchange(held_, true)) return std::nullopt;
    return Lock(*this);
  }

 private:
  friend BasicConditionVariable<Sharing>;

  Result<void> take(Deadline deadline) {
    std::unique_lock guard(sharing_);
    if (!std::exchange(held_, true)) return {};
    return queue_.wait(guard, {"mutex", this}, deadline);
  }

  void unlock() {
    typename Sharing::Wakeup wakeup;
    const std::lock_guard guard(sharing_);
    held_ = !queue_.empty() && queue_.grant_first(wakeup);
  }

  [[no_unique_address]] Sharing sharing_;
  bool held_ = false;
  detail::WaitQueue queue_;
};

/// For fibers of any worker.
using Mutex = BasicMutex<detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
using Mutex = BasicMutex<detail::OneThread>;
}  // namespace local

}  // namespace atlas
