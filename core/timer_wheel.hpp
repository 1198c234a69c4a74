// Timers for things that nearly never fire: arming and disarming are a few pointer writes.
// Knows ticks of one millisecond and nothing of loops or fibers.
#pragma once

#include <atlas/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace atlas {

class TimerWheel;

namespace detail {
struct TimerLink {
  TimerLink* previous = this;
  TimerLink* next = this;
};
}  // namespace detail

/// A callback at a time, once. The owner embeds it; destruction disarms. The callback runs on the
/// loop's stack, may arm it again, and may destroy it.
class Timer : private detail::TimerLink {
 public:
  using Callback = void (*)(void* owner);

  Timer(Callback callback, void* owner) noexcept : callback_(callback), owner_(owner) {}
  ~Timer() { disarm(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Fires at or after `when`, never before; replaces an earlier arming.
  void arm(TimerWheel& wheel, TimePoint when) noexcept;
  void disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return wheel_ != nullptr; }
  /// When it fires, in whole ticks. It must be armed.
  [[nodiscard]] TimePoint expiry() const noexcept;

 private:
  friend class TimerWheel;

  Callback callback_;
  void* owner_;
  TimerWheel* wheel_ = nullptr;
  std::uint64_t expiry_tick_ = 0;
  std::uint8_t level_ = 0;
  std::uint8_t slot_ = 0;
};

/// A hierarchical timing wheel: 8 levels of 64 slots, more milliseconds than a TimePoint can tell. A
/// timer sits on the level of the highest bit in which its expiry differs from the present, so each is moved
/// at most seven times.
class TimerWheel {
 public:
  explicit TimerWheel(TimePoint now) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// A time before which `advance` has nothing to do; none when no timer is armed. It may be earlier
  /// than the next expiry (a level to be moved down), never later.
  [[nodiscard]] std::optional<TimePoint> next_event() const noexcept;

  /// Fires what is due at `now`, in order of expiry by the millisecond.
  void advance(TimePoint now) noexcept;

  [[nodiscard]] std::size_t armed_count() const noexcept { return armed_count_; }

 private:
  friend class Timer;

  static constexpr int level_count = 8;
  static constexpr int slot_bits = 6;
  static constexpr int slot_count = 1 << slot_bits;
  static constexpr std::uint8_t level_firing = 0xff;

  struct Event {
    int level;
    int slot;
    std::uint64_t tick;
  };

  [[nodiscard]] std::optional<Event> next_occupied() const noexcept;
  [[nodiscard]] std::uint64_t tick_at_or_after(TimePoint when) const noexcept;
  void insert(Timer& timer) noexcept;
  void unlink(Timer& timer) noexcept;
  void expire_slot(const Event& event) noexcept;

  TimePoint origin_;
  std::uint64_t elapsed_ = 0;
  std::size_t armed_count_ = 0;
  bool firing_ = false;
  std::array<std::uint64_t, level_count> occupied_{};
  std::array<std::array<detail::TimerLink, slot_count>, level_count> slots_;
};

}  // namespace atlas
