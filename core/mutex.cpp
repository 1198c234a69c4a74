#include <atlas/core/mutex.hpp>

#include <mutex>

namespace atlas {

template <class Sharing>
Result<void> BasicMutex<Sharing>::wait_for_it(Deadline deadline) {
  std::unique_lock guard(sharing_);
  while (!exchange(Hold::wanted, Hold::wanted) && !exchange(Hold::held, Hold::wanted)) {
    if (exchange(Hold::none, Hold::held)) return {};  // it was given back meanwhile
  }
  auto waited = queue_.wait(guard, {"mutex", this}, deadline);
  if (!waited && queue_.empty()) static_cast<void>(exchange(Hold::wanted, Hold::held));
  return waited;
}

// Given back, it may be gone at once: the guard is not held then.
template <class Sharing>
void BasicMutex<Sharing>::hand_over() {
  do {
    typename Sharing::Wakeup wakeup;
    const std::lock_guard guard(sharing_);
    if (!queue_.grant_first(wakeup)) continue;  // who waited has given up
    if (queue_.empty()) static_cast<void>(exchange(Hold::wanted, Hold::held));
    return;
  } while (!exchange(Hold::held, Hold::none));
}

template class BasicMutex<detail::AnyThread>;
template class BasicMutex<detail::OneThread>;

}  // namespace atlas
