#include <atlas/core/virtual_loop.hpp>

#include <atlas/core/offload.hpp>
#include <atlas/core/uv/uv_driver.hpp>

#include <optional>
#include <utility>

namespace atlas {
namespace {

// Far above what any test needs.
constexpr std::size_t virtual_jumps_max = 1'000'000;

}  // namespace

/// libuv's loop, on another clock.
class VirtualLoop::Driver final : public uv::UvDriver {
 public:
  [[nodiscard]] TimePoint now() noexcept override { return clock_.now(); }
  [[nodiscard]] TimePoint turn_time() noexcept override { return clock_.now(); }
  void poll(std::optional<TimePoint> until) override {
    const bool due = until && *until <= now();
    uv_run(loop(), due || !system_at_work() ? UV_RUN_NOWAIT : UV_RUN_ONCE);
  }
  void interrupt() noexcept override {
    clock_.interrupt();
    UvDriver::interrupt();
  }

  [[nodiscard]] VirtualClock& clock() noexcept { return clock_; }
  [[nodiscard]] bool system_at_work() { return has_work() || OffloadPool::calls_of_this_thread() > 0; }

 private:
  VirtualClock clock_;
};

VirtualLoop::VirtualLoop(const SchedulerOptions& options)
    : VirtualLoop(std::make_unique<Driver>(), options) {}

VirtualLoop::VirtualLoop(std::unique_ptr<Driver> driver, const SchedulerOptions& options)
    : VirtualTurns(driver->clock(), virtual_jumps_max),
      driver_(std::move(driver)),
      scheduler_(std::make_unique<Scheduler>(*driver_, options)) {}

VirtualLoop::~VirtualLoop() = default;

bool VirtualLoop::system_at_work() { return driver_->system_at_work(); }

}  // namespace atlas
