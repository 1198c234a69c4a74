// A loop without a world: time stands still until a test moves it, and nothing ever blocks.
#pragma once

#include <atlas/core/driver.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/unique_function.hpp>

#include <atomic>
#include <optional>
#include <string_view>

namespace atlas::testing {

/// A clock that only `advance` moves; `poll` returns at once.
class ManualDriver : public Driver {
 public:
  [[nodiscard]] TimePoint now() noexcept override { return now_; }
  [[nodiscard]] TimePoint turn_time() noexcept override { return now_; }
  [[nodiscard]] Duration processor_time() noexcept override { return processor_time_; }
  void poll(std::optional<TimePoint>) override {}
  void interrupt() noexcept override { interrupted_.store(true, std::memory_order_release); }

  void advance(Duration duration) noexcept { now_ += duration; }
  /// As code does that computes for so long.
  void compute(Duration duration) noexcept {
    now_ += duration;
    processor_time_ += duration;
  }
  /// Does nothing when `when` has passed.
  void advance_to(TimePoint when) noexcept;

  /// Whether `interrupt` was called since the last time that this was asked.
  [[nodiscard]] bool take_interrupt() noexcept {
    return interrupted_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  TimePoint now_{std::chrono::hours(1)};
  Duration processor_time_{};
  std::atomic<bool> interrupted_ = false;
};

/// A scheduler on a manual clock, turned from a test's own stack. Its stacks are not trimmed unless
/// `options` say so.
class TestLoop {
 public:
  explicit TestLoop(const SchedulerOptions& options = {.trim_interval = Duration::zero()});

  [[nodiscard]] Scheduler& scheduler() noexcept { return scheduler_; }
  [[nodiscard]] ManualDriver& driver() noexcept { return driver_; }
  [[nodiscard]] TimePoint now() noexcept { return driver_.now(); }

  /// Starts a fiber; it first runs with the next of the calls below.
  void start(std::string_view name, UniqueFunction body) { scheduler_.start(name, std::move(body)); }

  /// Turns until no fiber is ready, nothing is posted and no timer is due. Time stands still. Throws
  /// std::runtime_error when that never comes.
  void run_until_idle();

  /// Lets time pass, from timer to timer, running what each of them wakes.
  void advance(Duration duration);

  /// Runs `body` as a fiber to its end, and rethrows what it threw. Whenever nobody can run, time jumps
  /// to the next timer. Throws std::runtime_error, naming the wait, when there is none: a deadlock (the fiber
  /// is cancelled first).
  void run(UniqueFunction body);

 private:
  [[nodiscard]] bool busy();
  /// Moves time to the next timer, if there is one no later than `limit`.
  bool jump_to_next_timer(TimePoint limit);
  void run_until(const bool& done);

  ManualDriver driver_;
  Scheduler scheduler_;
};

}  // namespace atlas::testing
