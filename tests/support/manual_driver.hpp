// A loop without a world: time stands still until a test moves it, and nothing ever blocks.
#pragma once

#include <atlas/core/driver.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/unique_function.hpp>
#include <atlas/core/virtual_turns.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace atlas::testing {

/// A clock that only `advance` moves; `poll` returns at once.
class ManualDriver : public Driver {
 public:
  [[nodiscard]] TimePoint now() noexcept override { return clock_.now(); }
  [[nodiscard]] TimePoint turn_time() noexcept override { return clock_.now(); }
  [[nodiscard]] Duration processor_time() noexcept override { return processor_time_; }
  void poll(std::optional<TimePoint>) override {}
  void interrupt() noexcept override { clock_.interrupt(); }

  void advance(Duration duration) noexcept { clock_.advance(duration); }
  /// As code does that computes for so long.
  void compute(Duration duration) noexcept {
    clock_.advance(duration);
    processor_time_ += duration;
  }
  /// Does nothing when `when` has passed.
  void advance_to(TimePoint when) noexcept { clock_.advance_to(when); }
  /// Whether `interrupt` was called since the last time that this was asked.
  [[nodiscard]] bool take_interrupt() noexcept { return clock_.take_interrupt(); }

  [[nodiscard]] VirtualClock& clock() noexcept { return clock_; }

 private:
  VirtualClock clock_;
  Duration processor_time_{};
};

/// Made before what turns it.
struct ManualDriverHolder {
  ManualDriver manual_driver;
};

/// A scheduler on a manual clock. Its stacks are not trimmed unless `options` say so.
class TestLoop final : private ManualDriverHolder, public VirtualTurns {
 public:
  explicit TestLoop(const SchedulerOptions& options = {.trim_interval = Duration::zero()})
      : VirtualTurns(manual_driver.clock(), jumps_max), scheduler_(manual_driver, options) {}

  [[nodiscard]] Scheduler& scheduler() noexcept override { return scheduler_; }
  [[nodiscard]] ManualDriver& driver() noexcept { return manual_driver; }

  /// Starts a fiber; it first runs with the next turn.
  void start(std::string_view name, UniqueFunction body) { scheduler_.start(name, std::move(body)); }

 private:
  static constexpr std::size_t jumps_max = 100'000;  // far above what any test needs

  Scheduler scheduler_;
};

}  // namespace atlas::testing
