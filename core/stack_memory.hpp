// The memory of one stack. Internal.
#pragma once

#include <cstddef>

namespace atlas::detail {

/// Owned by a StackPool. `top` is one past the highest byte.
struct StackMemory {
  std::byte* bottom = nullptr;
  std::byte* top = nullptr;

  [[nodiscard]] std::size_t bytes() const noexcept { return static_cast<std::size_t>(top - bottom); }
};

}  // namespace atlas::detail
