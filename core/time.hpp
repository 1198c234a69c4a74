// Time as Atlas tells it: monotonic time points, and deadlines.
#pragma once

#include <chrono>

namespace atlas {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

/// A point in time after which a wait gives up; by default, never. A value: copy it, pass it down.
class Deadline {
 public:
  constexpr Deadline() noexcept = default;
  explicit constexpr Deadline(TimePoint when) noexcept : when_(when) {}

  /// `duration` from now, by the clock of the current scheduler (virtual in tests), or by the
  /// system's monotonic clock outside of one. A duration too long to represent means never.
  [[nodiscard]] static Deadline after(Duration duration) noexcept;

  [[nodiscard]] constexpr bool is_never() const noexcept { return when_ == TimePoint::max(); }
  /// By the same clock as `after`.
  [[nodiscard]] bool passed() const noexcept;
  [[nodiscard]] constexpr TimePoint when() const noexcept { return when_; }

  [[nodiscard]] friend constexpr Deadline earlier(Deadline a, Deadline b) noexcept {
    return a.when_ < b.when_ ? a : b;
  }
  friend constexpr bool operator==(Deadline, Deadline) noexcept = default;

 private:
  TimePoint when_ = TimePoint::max();
};

}  // namespace atlas
