#include <atlas/core/shared_mutex.hpp>

namespace atlas {

template <class Sharing>
struct BasicSharedMutex<Sharing>::Asking : detail::Waiter {
  Asking(Wait& fiber_wait, bool wants_it_alone) noexcept : Waiter(fiber_wait), exclusive(wants_it_alone) {}
  bool exclusive;
};

template <class Sharing>
bool BasicSharedMutex<Sharing>::take(bool exclusive) noexcept {
  if (writing_ || (exclusive && readers_ > 0)) return false;
  if (exclusive) {
    writing_ = true;
  } else {
    ++readers_;
  }
  return true;
}

template <class Sharing>
void BasicSharedMutex<Sharing>::serve(Wakeup& wakeup) {
  while (!queue_.empty() && take(static_cast<Asking&>(queue_.first()).exclusive)) queue_.grant_first(wakeup);
}

template <class Sharing>
Result<void> BasicSharedMutex<Sharing>::wait(Guard& guard, Wakeup& wakeup, bool exclusive,
                                             Deadline deadline) {
  if (queue_.empty() && take(exclusive)) return {};
  Wait fiber_wait({exclusive ? "shared mutex" : "shared mutex, to read", this});
  Asking asking(fiber_wait, exclusive);
  auto waited = queue_.wait(guard, asking, deadline);
  if (!waited) serve(wakeup);  // a writer that gave up no longer keeps back the readers behind it
  return waited;
}

template <class Sharing>
auto BasicSharedMutex<Sharing>::lock(Deadline deadline) -> Result<Lock> {
  Wakeup wakeup;
  Guard guard(sharing_);
  if (const auto waited = wait(guard, wakeup, true, deadline); !waited) return Unexpected(waited.error());
  return Lock(*this);
}

template <class Sharing>
auto BasicSharedMutex<Sharing>::lock_shared(Deadline deadline) -> Result<SharedLock> {
  Wakeup wakeup;
  Guard guard(sharing_);
  if (const auto waited = wait(guard, wakeup, false, deadline); !waited) return Unexpected(waited.error());
  return SharedLock(*this);
}

template <class Sharing>
auto BasicSharedMutex<Sharing>::try_lock() -> std::optional<Lock> {
  const Guard guard(sharing_);
  if (!queue_.empty() || !take(true)) return std::nullopt;
  return Lock(*this);
}

template <class Sharing>
auto BasicSharedMutex<Sharing>::try_lock_shared() -> std::optional<SharedLock> {
  const Guard guard(sharing_);
  if (!queue_.empty() || !take(false)) return std::nullopt;
  return SharedLock(*this);
}

template <class Sharing>
void BasicSharedMutex<Sharing>::unlock() {
  Wakeup wakeup;
  const Guard guard(sharing_);
  writing_ = false;
  serve(wakeup);
}

template <class Sharing>
void BasicSharedMutex<Sharing>::unlock_shared() {
  Wakeup wakeup;
  const Guard guard(sharing_);
  --readers_;
  serve(wakeup);
}

template class BasicSharedMutex<detail::AnyThread>;
template class BasicSharedMutex<detail::OneThread>;

}  // namespace atlas
