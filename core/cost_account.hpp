// Where the cost of a fiber and of those that it starts is put down: see cost.hpp. A scheduler tells it of
// every suspension of theirs. Internal.
#pragma once

#include <atlas/core/cost.hpp>

#include <cstdint>

namespace atlas::detail {

/// Shared by a meter and the fibers that were started while it counted, all of one thread, of which at most
/// one runs at a time.
struct CostAccount {
  std::uint32_t users = 1;
  const FiberRecord* owner = nullptr;  // whose waits count; null once the meter has ended
  Cost cost;
  Duration processor_then{};  // the thread's, when one of the fibers last began to run
  TimePoint suspended_then;   // when the owner was suspended or, after that, woken
  bool woken = false;

  [[nodiscard]] CostAccount* share() noexcept;
  void release() noexcept;

  void begins_to_run(const FiberRecord& fiber) noexcept;
  void ceases_to_run(const FiberRecord& fiber) noexcept;
  void was_woken(const FiberRecord& fiber) noexcept;
  /// With what the running fiber, if it is one of these, has used since it began to run.
  [[nodiscard]] Cost so_far() const noexcept;
};

/// Leaves the stack of a fiber that has an account; returns when it is resumed.
void suspend_counted(FiberRecord& fiber);

}  // namespace atlas::detail
