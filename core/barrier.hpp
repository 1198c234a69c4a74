// A point that a number of fibers pass together.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <cstddef>

namespace atlas {

/// For fibers of any worker. Serves again and again. May be destroyed as soon as all who arrived have passed,
/// by the last of them.
class Barrier {
 public:
  /// Lets fibers pass `parties` at a time; at least 1.
  explicit Barrier(std::size_t parties);

  /// Suspends until `parties` fibers are here. True for exactly one of them: the last to come. Errors:
  /// timed_out, operation_canceled; then the caller no longer counts, and one more has to come.
  Result<bool> arrive_and_wait(Deadline deadline = {});

 private:
  detail::AnyThread sharing_;
  std::size_t parties_;
  std::size_t waiting_ = 0;
  detail::WaitQueue queue_;
};

}  // namespace atlas
