// Turns of a loop whose time stands still while anybody can run, and jumps to the next timer when nobody can.
// Knows nothing of what its driver waits on.
#pragma once

#include <atlas/core/scheduler.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/unique_function.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace atlas {

/// A driver's time, moved by hand, and whether it was interrupted.
class VirtualClock {
 public:
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  void advance(Duration duration) noexcept { now_ += duration; }
  /// Does nothing when `when` has passed.
  void advance_to(TimePoint when) noexcept { now_ = std::max(now_, when); }

  /// From any thread.
  void interrupt() noexcept { interrupted_.store(true, std::memory_order_release); }
  /// Whether `interrupt` was called since the last time that this was asked.
  [[nodiscard]] bool take_interrupt() noexcept {
    return interrupted_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  TimePoint now_{std::chrono::hours(1)};
  std::atomic<bool> interrupted_ = false;
};

/// Of one thread, which turns the loop by the calls below, from its own stack.
class VirtualTurns {
 public:
  VirtualTurns(const VirtualTurns&) = delete;
  VirtualTurns& operator=(const VirtualTurns&) = delete;

  [[nodiscard]] virtual Scheduler& scheduler() noexcept = 0;
  [[nodiscard]] TimePoint now() const noexcept { return clock_.now(); }

  /// Runs `body` as a fiber to its end, and rethrows what it threw. Time jumps as it must. Throws
  /// std::runtime_error, naming the wait, when nobody can ever run again: a deadlock (the fiber is cancelled
  /// first).
  void run(UniqueFunction body);
  /// Turns until `done`; false when nobody can ever run again before. Time jumps as it must.
  [[nodiscard]] bool run_until(const bool& done);
  /// Turns until no fiber is ready, nothing is posted and no timer is due. Time stands still. Throws
  /// std::runtime_error when that never comes.
  void run_until_idle();
  /// As `run_until_idle`, after time has jumped to the next timer. False: there is none.
  [[nodiscard]] bool step_in_time();
  /// Lets time pass, from timer to timer, running what each of them wakes.
  void advance(Duration duration);
  /// "'client' waits for 'read', …": the fibers that there are, for messages.
  [[nodiscard]] std::string who_waits();

 protected:
  /// `clock`, the driver's, outlives it. After so many jumps without an end, timers are armed again for ever.
  VirtualTurns(VirtualClock& clock, std::size_t jumps_max) noexcept : clock_(clock), jumps_max_(jumps_max) {}
  ~VirtualTurns() = default;

 private:
  /// Whether time has to wait for something beyond the loop.
  [[nodiscard]] virtual bool system_at_work() { return false; }

  [[nodiscard]] bool busy();
  void turn(std::size_t turns_before);
  [[nodiscard]] bool jump_to_next_timer(TimePoint limit);

  VirtualClock& clock_;
  const std::size_t jumps_max_;
};

}  // namespace atlas
