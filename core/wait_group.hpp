// Waiting until a number of things are done, whoever does them. For fibers of one thread, a FiberGroup is
// safer.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <cstddef>

namespace atlas {

/// For fibers of any worker, and `add` and `done` for any code. May be destroyed by whoever has returned from
/// `wait`, even while the last `done` has not, if nobody else waits.
class WaitGroup {
 public:
  explicit WaitGroup(std::size_t count = 0) noexcept : count_(count) {}

  /// `count` more things are to be done. Not for when all are done and somebody waits: call it before.
  void add(std::size_t count = 1);
  /// One thing is done. More often than added aborts.
  void done();
  /// Suspends until all are done. Errors: timed_out, operation_canceled.
  Result<void> wait(Deadline deadline = {});

 private:
  detail::AnyThread sharing_;
  std::size_t count_;
  detail::WaitQueue queue_;
};

}  // namespace atlas
