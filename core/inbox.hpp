// Work that other threads hand to a scheduler's loop. The only part of a scheduler that is
// thread-safe; it may outlive the scheduler, and then refuses.
#pragma once

#include <atlas/core/driver.hpp>
#include <atlas/core/unique_function.hpp>

#include <mutex>
#include <vector>

namespace atlas {

class Inbox {
 public:
  explicit Inbox(Driver& driver) : driver_(&driver) {}

  /// From any thread. Runs `task` on the loop's stack, in order of posting; `task` must not suspend
  /// and must not throw. The loop is interrupted once for all that is posted before it comes round.
  /// False, and `task` destroyed unrun, once the inbox is closed.
  bool post(UniqueFunction task);

  /// On the scheduler's thread: runs all that has been posted so far. True when there was something.
  bool drain();

  /// On the scheduler's thread: refuses from now on. What was posted and not run is destroyed.
  void close();

 private:
  std::mutex mutex_;
  Driver* driver_;
  std::vector<UniqueFunction> posted_;
  std::vector<UniqueFunction> draining_;  // kept for its capacity; the scheduler's thread only
};

}  // namespace atlas
