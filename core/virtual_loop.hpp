// A loop for tests: time stands still while anybody can run, and jumps to the next timer when nobody can.
// Files, names and `offload` are real: as long as the system works for the loop, time waits for it.
#pragma once

#include <atlas/core/scheduler.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/unique_function.hpp>

#include <memory>
#include <string>

namespace atlas {

/// Of one thread, which turns it by the calls below, from its own stack. What it cannot know of are other
/// threads (but for those of `offload`) that will wake one of its fibers.
class VirtualLoop {
 public:
  /// Stacks are not trimmed unless `options` say so.
  explicit VirtualLoop(const SchedulerOptions& options = {.trim_interval = Duration::zero()});
  /// Every fiber must have ended.
  ~VirtualLoop();
  VirtualLoop(const VirtualLoop&) = delete;
  VirtualLoop& operator=(const VirtualLoop&) = delete;

  [[nodiscard]] Scheduler& scheduler() noexcept;
  [[nodiscard]] TimePoint now() const noexcept;

  /// Runs `body` as a fiber to its end, and rethrows what it threw. Time jumps as it must. Throws
  /// std::runtime_error that names who waits for what when nobody can ever run again; `body` is cancelled
  /// first.
  void run(UniqueFunction body);
  /// Turns until `done`; false when nobody can ever run again before. Time jumps as it must.
  [[nodiscard]] bool run_until(const bool& done);
  /// As `run_until_idle`, after time has jumped to the next timer. False: there is none.
  [[nodiscard]] bool step_in_time();
  /// Turns until nobody can run. Time stands still.
  void run_until_idle();
  /// Lets time pass, from timer to timer, running what each of them wakes.
  void advance(Duration duration);
  /// "'client' waits for 'read', …": the fibers that there are, for messages.
  [[nodiscard]] std::string who_waits();

 private:
  class Clockwork;

  [[nodiscard]] bool busy();
  [[nodiscard]] bool jump_to_next_timer(TimePoint limit);

  std::unique_ptr<Clockwork> driver_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace atlas
