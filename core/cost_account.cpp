#include <atlas/core/cost_account.hpp>

#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>

#include <utility>

namespace atlas::detail {

CostAccount* CostAccount::share() noexcept {
  ++users;
  return this;
}

void CostAccount::release() noexcept {
  if (--users == 0) delete this;
}

void CostAccount::begins_to_run(const FiberRecord& fiber) noexcept {
  processor_then = fiber.scheduler.driver().processor_time();
}

void CostAccount::ceases_to_run(const FiberRecord& fiber) noexcept {
  cost.processor += fiber.scheduler.driver().processor_time() - processor_then;
}

// Up to here it waited for what it had asked for, from here on for its turn.
void CostAccount::was_woken(const FiberRecord& fiber) noexcept {
  if (&fiber != owner) return;
  const TimePoint now = fiber.scheduler.driver().now();
  cost.add_suspended(fiber.reason.text, now - std::exchange(suspended_then, now));
  woken = true;
}

Cost CostAccount::so_far() const noexcept {
  Cost copy = cost;
  auto* scheduler = Scheduler::current();
  const auto* running = scheduler != nullptr ? scheduler->running() : nullptr;
  if (running != nullptr && running->cost == this) {
    copy.processor += scheduler->driver().processor_time() - processor_then;
  }
  return copy;
}

// A fiber that yields is ready already.
void suspend_counted(FiberRecord& fiber) {
  CostAccount& account = *fiber.cost;
  auto& driver = fiber.scheduler.driver();
  account.ceases_to_run(fiber);
  const bool is_owner = account.owner == &fiber;
  if (is_owner) {
    account.woken = fiber.state == FiberState::ready;
    account.suspended_then = driver.now();
  }
  fiber.context->leave();
  if (is_owner) {
    const Duration time = driver.now() - account.suspended_then;
    account.woken ? void(account.cost.ready += time) : account.cost.add_suspended(fiber.reason.text, time);
  }
  account.begins_to_run(fiber);
}

}  // namespace atlas::detail
