#include <atlas/core/timer_wheel.hpp>

#include <atlas/core/assert.hpp>

#include <algorithm>
#include <bit>

namespace atlas {
namespace {

using Tick = std::chrono::milliseconds;

void link_before(detail::TimerLink& head, detail::TimerLink& link) noexcept {
  link.previous = head.previous;
  link.next = &head;
  head.previous->next = &link;
  head.previous = &link;
}

void unlink_link(detail::TimerLink& link) noexcept {
  link.previous->next = link.next;
  link.next->previous = link.previous;
  link.previous = link.next = &link;
}

}  // namespace

void Timer::arm(TimerWheel& wheel, TimePoint when) noexcept {
  disarm();
  wheel_ = &wheel;
  expiry_tick_ = wheel.tick_at_or_after(when);
  ++wheel.armed_count_;
  wheel.insert(*this);
}

void Timer::disarm() noexcept {
  if (wheel_ == nullptr) return;
  wheel_->unlink(*this);
  --wheel_->armed_count_;
  wheel_ = nullptr;
}

TimePoint Timer::expiry() const noexcept {
  return wheel_->origin_ + Tick(static_cast<Tick::rep>(expiry_tick_));
}

TimerWheel::TimerWheel(TimePoint now) noexcept : origin_(now) {}

std::uint64_t TimerWheel::tick_at_or_after(TimePoint when) const noexcept {
  // A timer that arms itself anew for the past must not keep `advance` from ending.
  const std::uint64_t earliest = firing_ ? elapsed_ + 1 : elapsed_;
  if (when <= origin_) return earliest;
  const auto ticks = static_cast<std::uint64_t>(std::chrono::ceil<Tick>(when - origin_).count());
  return std::max(ticks, earliest);
}

void TimerWheel::insert(Timer& timer) noexcept {
  const std::uint64_t tick = timer.expiry_tick_;
  const std::uint64_t differing = (tick ^ elapsed_) | (slot_count - 1);
  const int level = (63 - std::countl_zero(differing)) / slot_bits;
  const auto slot = static_cast<unsigned>(tick >> (level * slot_bits)) & (slot_count - 1);
  timer.level_ = static_cast<std::uint8_t>(level);
  timer.slot_ = static_cast<std::uint8_t>(slot);
  link_before(slots_[timer.level_][slot], timer);
  occupied_[timer.level_] |= std::uint64_t{1} << slot;
}

void TimerWheel::unlink(Timer& timer) noexcept {
  unlink_link(timer);
  if (timer.level_ == level_firing) return;
  const auto& head = slots_[timer.level_][timer.slot_];
  if (head.next == &head) occupied_[timer.level_] &= ~(std::uint64_t{1} << timer.slot_);
}

// Slots before the present one on a level are always empty: what would lie there differs from the
// present in a higher bit, so it sits on a higher level. The lowest occupied level is the earliest.
std::optional<TimerWheel::Event> TimerWheel::next_occupied() const noexcept {
  for (int level = 0; level < level_count; ++level) {
    const std::uint64_t occupied = occupied_[static_cast<std::size_t>(level)];
    if (occupied == 0) continue;
    const int slot = std::countr_zero(occupied);
    const int shift = level * slot_bits;
    const std::uint64_t level_start = elapsed_ >> (shift + slot_bits) << (shift + slot_bits);
    return Event{level, slot, level_start + (static_cast<std::uint64_t>(slot) << shift)};
  }
  return std::nullopt;
}

std::optional<TimePoint> TimerWheel::next_event() const noexcept {
  const auto event = next_occupied();
  if (!event) return std::nullopt;
  return origin_ + Tick(std::max(event->tick, elapsed_));
}

void TimerWheel::advance(TimePoint now) noexcept {
  if (now < origin_) return;
  const auto now_tick = static_cast<std::uint64_t>(std::chrono::floor<Tick>(now - origin_).count());
  firing_ = true;
  while (const auto event = next_occupied()) {
    if (event->tick > now_tick) break;
    elapsed_ = std::max(elapsed_, event->tick);
    expire_slot(*event);
  }
  firing_ = false;
  elapsed_ = std::max(elapsed_, now_tick);
}

void TimerWheel::expire_slot(const Event& event) noexcept {
  detail::TimerLink due;
  auto& head = slots_[static_cast<std::size_t>(event.level)][static_cast<std::size_t>(event.slot)];
  while (head.next != &head) {
    auto& timer = static_cast<Timer&>(*head.next);
    unlink_link(timer);
    timer.level_ = level_firing;
    link_before(due, timer);
  }
  occupied_[static_cast<std::size_t>(event.level)] &= ~(std::uint64_t{1} << event.slot);
  while (due.next != &due) {
    auto& timer = static_cast<Timer&>(*due.next);
    unlink_link(timer);
    if (timer.expiry_tick_ > elapsed_) {
      insert(timer);
      continue;
    }
    timer.wheel_ = nullptr;
    --armed_count_;
    timer.callback_(timer.owner_);
  }
}

}  // namespace atlas
