// The seam between a scheduler and the world it waits on: libuv in a server, a manual clock in tests.
#pragma once

#include <atlas/core/time.hpp>

#include <optional>

namespace atlas {

class World;

/// Of the system's world, unless it says otherwise.
class Driver {
 public:
  virtual ~Driver() = default;

  /// The present, read from the clock.
  [[nodiscard]] virtual TimePoint now() noexcept = 0;
  /// The present as of the start of this turn: free, and late by at most one turn.
  [[nodiscard]] virtual TimePoint turn_time() noexcept = 0;
  /// What the calling thread has used of processors so far. A system call.
  [[nodiscard]] virtual Duration processor_time() noexcept;

  /// Runs the callbacks of what has happened. Waits for something to happen first, but not past
  /// `until` (none: without end) and not after `interrupt`.
  virtual void poll(std::optional<TimePoint> until) = 0;

  /// Makes a `poll` that waits, or the next one, return soon. From any thread.
  virtual void interrupt() noexcept = 0;

  /// What the loop's fibers find beyond it. Outlives the driver.
  [[nodiscard]] virtual World& world() noexcept;
};

}  // namespace atlas
