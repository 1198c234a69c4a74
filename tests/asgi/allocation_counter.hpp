// Calls of operator new and delete in this test program. allocation_test.cpp replaces them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atlas::testing {

/// Calls of operator new by this thread.
[[nodiscard]] std::size_t allocations_of_this_thread() noexcept;
/// What all threads have allocated and not freed.
[[nodiscard]] std::int64_t allocations_alive() noexcept;

}  // namespace atlas::testing
