#include <atlas/core/event.hpp>

namespace atlas {

template <class Sharing>
Result<void> BasicEvent<Sharing>::wait(Deadline deadline) {
  std::unique_lock guard(sharing_);
  if (set_) return {};
  return queue_.wait(guard, {"event", this}, deadline);
}

template <class Sharing>
void BasicEvent<Sharing>::set() {
  typename Sharing::Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  set_ = true;
  queue_.grant_all(wakeup);
}

template <class Sharing>
void BasicEvent<Sharing>::reset() {
  const std::lock_guard guard(sharing_);
  set_ = false;
}

template <class Sharing>
bool BasicEvent<Sharing>::is_set() const {
  const std::lock_guard guard(sharing_);
  return set_;
}

template class BasicEvent<detail::AnyThread>;
template class BasicEvent<detail::OneThread>;

}  // namespace atlas
