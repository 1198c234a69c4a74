// A loop for tests of applications, in virtual time. Files, names and `offload` are real: as long as the
// system works for the loop, time waits for it.
#pragma once

#include <atlas/core/virtual_turns.hpp>

#include <memory>

namespace atlas {

/// What it cannot know of are other threads (but for those of `offload`) that will wake one of its fibers.
class VirtualLoop final : public VirtualTurns {
 public:
  /// Stacks are not trimmed unless `options` say so.
  explicit VirtualLoop(const SchedulerOptions& options = {.trim_interval = Duration::zero()});
  /// Every fiber must have ended.
  ~VirtualLoop();

  [[nodiscard]] Scheduler& scheduler() noexcept override { return *scheduler_; }

 private:
  class Driver;

  explicit VirtualLoop(std::unique_ptr<Driver> driver, const SchedulerOptions& options);
  [[nodiscard]] bool system_at_work() override;

  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace atlas
