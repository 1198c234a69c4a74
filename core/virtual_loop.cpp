#include <atlas/core/virtual_loop.hpp>

#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/offload.hpp>
#include <atlas/core/uv/uv_driver.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace atlas {
namespace {

// Far above what any test needs: more means that fibers wake one another, or timers are armed again, for
// ever.
constexpr std::size_t turns_max = 10'000'000;
constexpr std::size_t jumps_max = 1'000'000;
constexpr std::size_t fibers_named_max = 16;

}  // namespace

/// libuv's loop, on another clock.
class VirtualLoop::Clockwork final : public uv::UvDriver {
 public:
  [[nodiscard]] TimePoint now() noexcept override { return now_; }
  [[nodiscard]] TimePoint turn_time() noexcept override { return now_; }
  void poll(std::optional<TimePoint> until) override {
    const bool due = until && *until <= now_;
    uv_run(loop(), due || !system_at_work() ? UV_RUN_NOWAIT : UV_RUN_ONCE);
  }
  void interrupt() noexcept override {
    interrupted_.store(true, std::memory_order_release);
    UvDriver::interrupt();
  }

  [[nodiscard]] bool take_interrupt() noexcept {
    return interrupted_.exchange(false, std::memory_order_acq_rel);
  }
  void advance_to(TimePoint when) noexcept { now_ = std::max(now_, when); }
  [[nodiscard]] bool system_at_work() { return has_work() || OffloadPool::calls_of_this_thread() > 0; }

 private:
  TimePoint now_{std::chrono::hours(1)};
  std::atomic<bool> interrupted_ = false;
};

VirtualLoop::VirtualLoop(const SchedulerOptions& options)
    : driver_(std::make_unique<Clockwork>()), scheduler_(std::make_unique<Scheduler>(*driver_, options)) {}

VirtualLoop::~VirtualLoop() = default;

Scheduler& VirtualLoop::scheduler() noexcept { return *scheduler_; }

TimePoint VirtualLoop::now() const noexcept { return driver_->now(); }

bool VirtualLoop::busy() {
  if (driver_->take_interrupt() || scheduler_->has_ready_fibers() || driver_->system_at_work()) return true;
  const auto next = scheduler_->timers().next_event();
  return next && *next <= now();
}

void VirtualLoop::run_until_idle() {
  for (std::size_t turns = 0; busy(); ++turns) {
    if (turns == turns_max) throw std::runtime_error("the loop never becomes idle: " + who_waits());
    scheduler_->turn(true);
  }
}

bool VirtualLoop::jump_to_next_timer(TimePoint limit) {
  const auto next = scheduler_->timers().next_event();
  if (!next || *next > limit) return false;
  driver_->advance_to(*next);
  return true;
}

bool VirtualLoop::step_in_time() {
  if (!jump_to_next_timer(TimePoint::max())) return false;
  run_until_idle();
  return true;
}

void VirtualLoop::advance(Duration duration) {
  const TimePoint until = now() + duration;
  run_until_idle();
  while (jump_to_next_timer(until)) run_until_idle();
  driver_->advance_to(until);
  run_until_idle();
}

bool VirtualLoop::run_until(const bool& done) {
  std::size_t turns = 0;
  for (std::size_t jumps = 0; jumps < jumps_max; ++jumps) {
    while (!done && busy()) {
      if (++turns == turns_max) throw std::runtime_error("the loop never becomes idle: " + who_waits());
      scheduler_->turn(true);
    }
    if (done) return true;
    if (!jump_to_next_timer(TimePoint::max())) return false;
  }
  return false;
}

void VirtualLoop::run(UniqueFunction body) {
  bool done = false;
  std::exception_ptr exception;
  const auto run_body = [&] {
    try {
      body();
    } catch (...) {
      exception = std::current_exception();
    }
    body.reset();
    done = true;
  };
  auto& fiber = scheduler_->create("test", run_body, nullptr);
  scheduler_->wake(fiber, true);
  if (!run_until(done)) {
    const auto text = "a deadlock: " + who_waits();
    fiber.request_cancellation();
    static_cast<void>(run_until(done));
    throw std::runtime_error(text);
  }
  if (exception) std::rethrow_exception(exception);
}

std::string VirtualLoop::who_waits() {
  std::string text;
  for (const auto& fiber : scheduler_->fibers(fibers_named_max)) {
    fmt::format_to(std::back_inserter(text), "{}'{}' waits for '{}'", text.empty() ? "" : ", ", fiber.name,
                   fiber.waits_for);
  }
  return text.empty() ? "there is no fiber" : text;
}

}  // namespace atlas
