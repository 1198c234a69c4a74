#include <atlas/core/fiber_record.hpp>

#include <atlas/core/scheduler.hpp>

#include <algorithm>

namespace atlas::detail {

FiberRecord::FiberRecord(Scheduler& owner)
    : scheduler(owner),
      deadline_timer(
          [](void* self) { static_cast<FiberRecord*>(self)->interrupt_park(WaitStatus::timed_out, false); },
          this) {}

void FiberRecord::set_name(std::string_view name) noexcept {
  name_size = static_cast<std::uint8_t>(std::min(name.size(), name_text.size()));
  std::copy_n(name.data(), name_size, name_text.data());
}

// Whenever a signal comes, size and place belong together, or the size is 0.
void FiberRecord::set_detail(std::string_view text) noexcept {
  detail = {detail.data(), 0};
  std::atomic_signal_fence(std::memory_order_seq_cst);
  detail = {text.data(), 0};
  std::atomic_signal_fence(std::memory_order_seq_cst);
  detail = text;
}

bool FiberRecord::fire(std::uint64_t wait_generation, std::intptr_t value, bool queued) {
  if (generation != wait_generation) return false;
  ++generation;
  outcome = {WaitStatus::woken, value};
  if (state == FiberState::parked) scheduler.wake(*this, queued);
  return true;
}

void FiberRecord::interrupt_park(WaitStatus status, bool queued) {
  if (state != FiberState::parked) return;
  outcome = {status, 0};
  scheduler.wake(*this, queued);
}

void FiberRecord::request_cancellation() {
  cancel_requested = true;
  if (shield_depth == 0) interrupt_park(WaitStatus::cancelled, true);
}

}  // namespace atlas::detail
