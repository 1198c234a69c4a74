#include <atlas/core/condition_variable.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/unhurried.hpp>

namespace atlas {

template <class Sharing>
Result<void> BasicConditionVariable<Sharing>::wait(Lock& lock, Deadline deadline) {
  ATLAS_ASSERT(lock, "a condition variable was waited for without its mutex");
  std::unique_lock guard(sharing_);
  // Who changes the state now cannot notify before this fiber is in the queue.
  lock.owner()->unlock();
  auto notified = queue_.wait(guard, {"condition variable", this}, deadline);
  if (!notified) guard.unlock();
  const detail::Unhurried unhurried;
  ATLAS_ASSERT(lock.owner()->take({}), "an unhurried wait was cut short");
  return notified;
}

template <class Sharing>
void BasicConditionVariable<Sharing>::notify_one() {
  typename Sharing::Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  queue_.grant_first(wakeup);
}

template <class Sharing>
void BasicConditionVariable<Sharing>::notify_all() {
  typename Sharing::Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  queue_.grant_all(wakeup);
}

template class BasicConditionVariable<detail::AnyThread>;
template class BasicConditionVariable<detail::OneThread>;

}  // namespace atlas
