// Invariants, checked in every build. Input is never asserted: it is answered.
#pragma once

namespace atlas::detail {

/// Writes the condition, the message and the place to stderr, then aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* message, const char* file,
                                   int line) noexcept;

}  // namespace atlas::detail

/// Aborts with `message` (what went wrong, as a sentence) unless `condition` holds.
#define ATLAS_ASSERT(condition, message) \
  ((condition) ? static_cast<void>(0)    \
               : ::atlas::detail::assertion_failed(#condition, message, __FILE__, __LINE__))
