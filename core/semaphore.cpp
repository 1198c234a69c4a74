#include <atlas/core/semaphore.hpp>

namespace atlas {

template <class Sharing>
Result<void> BasicSemaphore<Sharing>::acquire(Deadline deadline) {
  std::unique_lock guard(sharing_);
  if (available_ == 0) return queue_.wait(guard, {"semaphore", this}, deadline);
  --available_;
  return {};
}

template <class Sharing>
bool BasicSemaphore<Sharing>::try_acquire() {
  const std::lock_guard guard(sharing_);
  if (available_ == 0) return false;
  --available_;
  return true;
}

template <class Sharing>
void BasicSemaphore<Sharing>::release(std::size_t permits) {
  typename Sharing::Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  while (permits > 0 && queue_.grant_first(wakeup)) --permits;
  available_ += permits;
}

template <class Sharing>
std::size_t BasicSemaphore<Sharing>::available() const {
  const std::lock_guard guard(sharing_);
  return available_;
}

template class BasicSemaphore<detail::AnyThread>;
template class BasicSemaphore<detail::OneThread>;

}  // namespace atlas
