// How many log lines of one kind clients may cause: some in each second, so that nobody fills a disk with
// requests. The others are counted.
#pragma once

#include <atlas/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace atlas::asgi {

/// Of one thread.
class LineAllowance {
 public:
  explicit LineAllowance(std::uint64_t lines_per_second_max) noexcept
      : lines_per_second_max_(lines_per_second_max) {}

  /// Whether a line may be logged at `now`. If not, it is counted as left out.
  [[nodiscard]] bool take(TimePoint now) noexcept {
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      lines_ = 0;
    }
    if (lines_ == lines_per_second_max_) return ++left_out_, false;
    return ++lines_, true;
  }

  /// How many were left out since this was last asked.
  [[nodiscard]] std::uint64_t take_left_out() noexcept { return std::exchange(left_out_, 0); }

 private:
  std::uint64_t lines_per_second_max_;
  TimePoint second_;
  std::uint64_t lines_ = 0;  // in it
  std::uint64_t left_out_ = 0;
};

}  // namespace atlas::asgi
