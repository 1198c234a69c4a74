// Something that has happened, or not yet.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

namespace atlas {

/// Stays set until reset; lets everybody pass while it is. May be destroyed by whoever has returned from
/// `wait`, even while `set` has not, if nobody else waits.
template <class Sharing>
class BasicEvent {
 public:
  BasicEvent() = default;

  /// Suspends until it is set. A `reset` right after the `set` takes nothing back from those who waited.
  /// Errors: timed_out, operation_canceled.
  Result<void> wait(Deadline deadline = {});
  /// From anywhere, also outside of fibers.
  void set();
  void reset();
  [[nodiscard]] bool is_set() const;

 private:
  [[no_unique_address]] mutable Sharing sharing_;
  bool set_ = false;
  detail::WaitQueue queue_;
};

extern template class BasicEvent<detail::AnyThread>;
extern template class BasicEvent<detail::OneThread>;

/// For fibers of any worker.
using Event = BasicEvent<detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
using Event = BasicEvent<detail::OneThread>;
}  // namespace local

}  // namespace atlas
