#include <atlas/core/wait.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>

namespace atlas {

std::error_code WaitOutcome::error() const noexcept {
  switch (status) {
    case WaitStatus::woken: return {};
    case WaitStatus::timed_out: return std::make_error_code(std::errc::timed_out);
    case WaitStatus::cancelled: return std::make_error_code(std::errc::operation_canceled);
  }
  return {};
}

bool Waker::wake(std::intptr_t value) const {
  return fiber_ != nullptr && fiber_->fire(generation_, value, false);
}

bool Waker::wake_queued(std::intptr_t value) const {
  return fiber_ != nullptr && fiber_->fire(generation_, value, true);
}

bool Waker::pending() const noexcept { return fiber_ != nullptr && fiber_->generation == generation_; }

void RemoteWaker::wake(std::intptr_t value) const {
  if (inbox_ == nullptr) return;
  inbox_->post([waker = waker_, value] { waker.wake(value); });
}

Wait::Wait(WaitReason reason) noexcept {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr && scheduler->on_fiber(), "a blocking call was made outside of a fiber");
  fiber_ = scheduler->running();
  ATLAS_ASSERT(fiber_->generation % 2 == 0, "a wait was opened while another is open");
  generation_ = ++fiber_->generation;
  fiber_->reason = reason;
}

Wait::~Wait() {
  if (fiber_->generation == generation_) ++fiber_->generation;
}

Waker Wait::waker() const noexcept { return {fiber_, generation_}; }

RemoteWaker Wait::remote_waker() const { return {fiber_->scheduler.inbox(), waker()}; }

std::error_code Wait::refusal(Deadline deadline) const noexcept {
  if (fiber_->cancelled()) return std::make_error_code(std::errc::operation_canceled);
  const Deadline effective = earlier(deadline, fiber_->scope_deadline);
  const bool overdue = !effective.is_never() && effective.when() <= fiber_->scheduler.turn_time();
  return overdue ? std::make_error_code(std::errc::timed_out) : std::error_code();
}

WaitOutcome Wait::park(Deadline deadline) {
  auto& fiber = *fiber_;
  if (fiber.generation != generation_) return fiber.outcome;
  if (fiber.cancelled()) return {WaitStatus::cancelled, 0};
  if (fiber.suspend_hook != nullptr) fiber.suspend_hook->before_suspend();
  if (fiber.generation != generation_) return fiber.outcome;

  const TimePoint now = fiber.scheduler.turn_time();
  const Deadline effective = earlier(deadline, fiber.scope_deadline);
  if (!effective.is_never()) {
    if (effective.when() <= now) return {WaitStatus::timed_out, 0};
    fiber.deadline_timer.arm(fiber.scheduler.timers(), effective.when());
  }
  fiber.state = detail::FiberState::parked;
  fiber.suspended_at = now;
  fiber.scheduler.suspend(fiber);
  fiber.deadline_timer.disarm();
  return fiber.outcome;
}

}  // namespace atlas
