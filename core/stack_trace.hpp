// Where a thread is: return addresses taken in a signal's handler, and made readable later, elsewhere.
// Internal.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace atlas::detail {

/// Loads what `capture_stack` needs. Call it once, outside of a signal's handler, before the first capture.
void prepare_stack_capture() noexcept;

/// Fills `addresses` with instructions of the caller's stack, innermost first, and gives their number. In a
/// signal's handler it begins with what the signal interrupted. Async-signal-safe after
/// prepare_stack_capture, where the unwinder looks frames up without a lock (glibc from 2.35 with GCC from
/// 12).
[[nodiscard]] std::size_t capture_stack(std::span<const void*> addresses) noexcept;

/// "function(int)+0x1f", or "libfile.so+0x1234" where the function's name was not exported: a text for
/// addr2line, which takes the number behind the plus. Not async-signal-safe.
[[nodiscard]] std::string describe_address(const void* address);

}  // namespace atlas::detail
