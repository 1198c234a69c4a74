// A lock that many readers may hold at a time, or one writer.
#pragma once

#include <atlas/core/assert.hpp>
#include <atlas/core/held.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <cstddef>
#include <mutex>
#include <optional>

namespace atlas {

/// As Mutex, and may be held `shared` by any number of fibers while nobody holds it alone. Served in the
/// order in which fibers asked: a reader that comes after a waiting writer waits too, so that neither kind
/// starves.
///
///   auto reading = table_mutex.lock_shared().value();
template <class Sharing>
class BasicSharedMutex {
  struct Unlock {
    static void give_back(BasicSharedMutex& mutex) { mutex.unlock(); }
  };
  struct UnlockShared {
    static void give_back(BasicSharedMutex& mutex) { mutex.unlock_shared(); }
  };

 public:
  /// Hold the mutex until their end, or until `unlock`; movable.
  using Lock = detail::Held<BasicSharedMutex, Unlock>;
  using SharedLock = detail::Held<BasicSharedMutex, UnlockShared>;

  BasicSharedMutex() = default;
  ~BasicSharedMutex() {
    ATLAS_ASSERT(!writing_ && readers_ == 0, "a shared mutex was destroyed while it is held");
  }
  BasicSharedMutex(const BasicSharedMutex&) = delete;
  BasicSharedMutex& operator=(const BasicSharedMutex&) = delete;

  /// Suspends until nobody else holds it. Errors: timed_out, operation_canceled.
  Result<Lock> lock(Deadline deadline = {});
  /// Suspends while a writer holds it, or waits for it already. Errors: timed_out, operation_canceled.
  Result<SharedLock> lock_shared(Deadline deadline = {});

  /// None when somebody holds it.
  [[nodiscard]] std::optional<Lock> try_lock();
  /// None when a writer holds it, or waits for it.
  [[nodiscard]] std::optional<SharedLock> try_lock_shared();

 private:
  struct Asking;
  using Guard = std::unique_lock<Sharing>;
  using Wakeup = typename Sharing::Wakeup;

  [[nodiscard]] bool take(bool exclusive) noexcept;
  Result<void> wait(Guard& guard, Wakeup& wakeup, bool exclusive, Deadline deadline);
  void serve(Wakeup& wakeup);
  void unlock();
  void unlock_shared();

  [[no_unique_address]] Sharing sharing_;
  bool writing_ = false;
  std::size_t readers_ = 0;
  detail::WaitQueue queue_;
};

extern template class BasicSharedMutex<detail::AnyThread>;
extern template class BasicSharedMutex<detail::OneThread>;

/// For fibers of any worker.
using SharedMutex = BasicSharedMutex<detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
using SharedMutex = BasicSharedMutex<detail::OneThread>;
}  // namespace local

}  // namespace atlas
