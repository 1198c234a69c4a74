// A number of permits: for bounding how many do something at a time, and for counting what is there.
#pragma once

#include <atlas/core/held.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <cstddef>

namespace atlas {

/// Permits go to those who wait, in the order of their coming. `acquire` and `release` need not be called by
/// the same fiber. May be destroyed as soon as all calls of `acquire` have returned and nobody holds a
/// Permit, even while a `release` has not.
template <class Sharing>
class BasicSemaphore {
  struct GiveBack {
    static void give_back(BasicSemaphore& semaphore) { semaphore.release(); }
  };

 public:
  /// One permit, released at its end, or by `unlock`; movable.
  using Permit = detail::Held<BasicSemaphore, GiveBack>;

  explicit BasicSemaphore(std::size_t permits) noexcept : available_(permits) {}

  /// Suspends until there is a permit for the caller, and takes it. Errors: timed_out, operation_canceled.
  Result<void> acquire(Deadline deadline = {});
  /// As `acquire`, for a scope:  auto permit = uploads.permit().value();
  Result<Permit> permit(Deadline deadline = {}) {
    if (const auto acquired = acquire(deadline); !acquired) return Unexpected(acquired.error());
    return Permit(*this);
  }
  /// False when there is no permit at present.
  [[nodiscard]] bool try_acquire();
  /// Adds `permits`, first to those who wait. From anywhere, also outside of fibers.
  void release(std::size_t permits = 1);
  /// What `try_acquire` could have now.
  [[nodiscard]] std::size_t available() const;

 private:
  [[no_unique_address]] mutable Sharing sharing_;
  std::size_t available_;  // 0 while somebody waits
  detail::WaitQueue queue_;
};

extern template class BasicSemaphore<detail::AnyThread>;
extern template class BasicSemaphore<detail::OneThread>;

/// For fibers of any worker.
using Semaphore = BasicSemaphore<detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
using Semaphore = BasicSemaphore<detail::OneThread>;
}  // namespace local

}  // namespace atlas
