// Counts of durations in bounded memory: exact below 256 ns, and beyond that never off by more than 1/128.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

class Histogram {
 public:
  void add(std::chrono::nanoseconds duration) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    ++counts_[bucket_of(value)];
    ++total_;
    max_ = std::max(max_, value);
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] double max_us() const { return static_cast<double>(max_) / 1e3; }

  // The least bucket's upper end that `share` (0 to 1) of all durations do not exceed, in microseconds.
  [[nodiscard]] double quantile_us(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_) + 0.5);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen >= std::max<std::uint64_t>(wanted, 1)) {
        return static_cast<double>(std::min(upper_end(bucket), max_)) / 1e3;
      }
    }
    return 0;
  }

 private:
  static constexpr unsigned exact_bits = 8;  // values of so many bits have a bucket each
  static constexpr std::size_t steps = std::size_t{1}
                                       << (exact_bits - 1);  // between a power of two and the next

  // The highest `exact_bits` bits of the value, and how far they were shifted.
  static std::size_t bucket_of(std::uint64_t value) {
    const auto bits = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = bits > exact_bits ? bits - exact_bits : 0;
    return shift * steps + (value >> shift);
  }

  static std::uint64_t upper_end(std::size_t bucket) {
    if (bucket < 2 * steps) return bucket;
    const std::size_t shift = bucket / steps - 1;
    return ((bucket - shift * steps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - exact_bits + 2) * steps> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace bench
