#include <atlas/core/uv/uv_driver.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/scheduler.hpp>

#include <system_error>
#include <typeinfo>

namespace atlas::uv {

UvDriver::UvDriver() {
  ATLAS_ASSERT(uv_loop_init(&loop_) == 0, "libuv could not create a loop (out of file descriptors?)");
  loop_.data = this;
  uv_async_init(&loop_, &interrupted_, [](uv_async_t*) {});
  uv_timer_init(&loop_, &timer_);
}

UvDriver::~UvDriver() {
  const auto require_closing = [](uv_handle_t* handle, void* self) {
    auto& driver = *static_cast<UvDriver*>(self);
    const bool own = handle == reinterpret_cast<uv_handle_t*>(&driver.interrupted_) ||
                     handle == reinterpret_cast<uv_handle_t*>(&driver.timer_);
    ATLAS_ASSERT(own || uv_is_closing(handle) != 0, "a loop was destroyed while a handle was open");
  };
  uv_walk(&loop_, require_closing, this);
  uv_close(reinterpret_cast<uv_handle_t*>(&interrupted_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  ATLAS_ASSERT(uv_loop_close(&loop_) == 0, "a loop was destroyed while it was busy");
}

TimePoint UvDriver::now() noexcept { return TimePoint(std::chrono::nanoseconds(uv_hrtime())); }

TimePoint UvDriver::turn_time() noexcept { return TimePoint(std::chrono::milliseconds(uv_now(&loop_))); }

void UvDriver::poll(std::optional<TimePoint> until) {
  reports_left_ = reports_together_max;
  if (until && *until <= turn_time()) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    return;
  }
  arm_timer(until);
  uv_run(&loop_, UV_RUN_ONCE);
}

void UvDriver::pause_reports() {
  reports_left_ = reports_together_max;
  uv_update_time(&loop_);
  Scheduler::current()->interlude();
}

// The next deadline is nearly always the same as last time, or later: a timer that is early costs one
// empty turn, setting it anew costs every turn.
void UvDriver::arm_timer(std::optional<TimePoint> until) {
  const bool armed_early_enough = timer_until_ && (!until || *timer_until_ <= *until) &&
                                  uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) != 0;
  if (armed_early_enough || !until) return;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*until - turn_time());
  // uv_run looks at timers before it polls, too: one that fires there must keep it from waiting.
  const auto on_due = [](uv_timer_t* timer) { uv_stop(timer->loop); };
  uv_timer_start(&timer_, on_due, static_cast<std::uint64_t>(wait.count()), 0);
  timer_until_ = until;
}

bool UvDriver::has_work() noexcept {
  auto* const own = reinterpret_cast<uv_handle_t*>(&interrupted_);
  uv_unref(own);
  const bool others = uv_loop_alive(&loop_) != 0;
  uv_ref(own);
  return others;
}

void UvDriver::interrupt() noexcept { uv_async_send(&interrupted_); }

uv_loop_t* current_loop() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr, "this needs a thread that runs a scheduler");
  auto& driver = scheduler->driver();
  // A comparison does what a dynamic_cast would walk the hierarchy for.
  if (typeid(driver) == typeid(UvDriver)) return static_cast<UvDriver&>(driver).loop();
  auto* const kin = dynamic_cast<UvDriver*>(&driver);
  ATLAS_ASSERT(kin != nullptr, "this needs a scheduler on libuv's driver");
  return kin->loop();
}

std::error_code to_error(int status) noexcept { return {-status, std::system_category()}; }

}  // namespace atlas::uv
