// For the std::mutex of code that knows nothing of fibers: it blocks the thread, so nobody may suspend with
// it.
#pragma once

#include <mutex>

namespace atlas {

/// Holds `mutex` while it lives, as std::lock_guard does. In a debug build of Atlas (without NDEBUG), a fiber
/// that suspends meanwhile aborts the process and is named: another fiber of the thread that wanted the mutex
/// would block it for ever. To hold something across a suspension, take atlas::Mutex.
class [[nodiscard]] StdMutexGuard {
 public:
  /// Blocks the thread while the mutex is held.
  explicit StdMutexGuard(std::mutex& mutex);
  ~StdMutexGuard();
  StdMutexGuard(const StdMutexGuard&) = delete;
  StdMutexGuard& operator=(const StdMutexGuard&) = delete;

 private:
  std::mutex& mutex_;
};

}  // namespace atlas
