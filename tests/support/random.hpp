// Random numbers that are the same on every machine for the same seed: a failing run can be had again.
#pragma once

#include <atlas/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace atlas::testing {

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Less than `bound`, which is not 0.
  std::size_t below(std::size_t bound) noexcept { return static_cast<std::size_t>(next() % bound); }
  /// Both ends included.
  std::size_t between(std::size_t least, std::size_t most) noexcept {
    return least + below(most - least + 1);
  }
  Duration between(Duration least, Duration most) noexcept {
    const auto span = static_cast<std::size_t>((most - least).count());
    return least + Duration(static_cast<Duration::rep>(below(span + 1)));
  }
  /// True `times` in a thousand.
  bool per_mille(unsigned times) noexcept { return below(1000) < times; }
  bool coin() noexcept { return next() % 2 == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace atlas::testing
