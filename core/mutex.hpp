// Mutual exclusion of fibers: who has to wait is suspended, its thread goes on.
#pragma once

#include <atlas/core/assert.hpp>
#include <atlas/core/held.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <cstdint>
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
  ~BasicMutex() { ATLAS_ASSERT(hold_ == Hold::none, "a mutex was destroyed while it is held"); }
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
    if (!exchange(Hold::none, Hold::held)) return std::nullopt;
    return Lock(*this);
  }

 private:
  friend BasicConditionVariable<Sharing>;

  /// `wanted`: held, and a fiber is in the queue. It becomes that, and ceases to be, under the guard only, so
  /// that nobody overtakes. All else goes without the guard, a single exchange each.
  enum class Hold : std::uint8_t { none, held, wanted };

  Result<void> take(Deadline deadline) {
    if (exchange(Hold::none, Hold::held)) [[likely]]
      return {};
    return wait_for_it(deadline);
  }

  Result<void> wait_for_it(Deadline deadline);

  void unlock() {
    if (!exchange(Hold::held, Hold::none)) [[unlikely]]
      hand_over();
  }

  void hand_over();

  [[nodiscard]] bool exchange(Hold expected, Hold desired) noexcept {
    return sharing_.exchange_if(hold_, expected, desired);
  }

  [[no_unique_address]] Sharing sharing_;
  Hold hold_ = Hold::none;
  detail::WaitQueue queue_;
};

extern template class BasicMutex<detail::AnyThread>;
extern template class BasicMutex<detail::OneThread>;

/// For fibers of any worker.
using Mutex = BasicMutex<detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
using Mutex = BasicMutex<detail::OneThread>;
}  // namespace local

}  // namespace atlas
