#include <atlas/core/wait_group.hpp>

#include <atlas/core/assert.hpp>

namespace atlas {

void WaitGroup::add(std::size_t count) {
  const std::lock_guard guard(sharing_);
  count_ += count;
}

void WaitGroup::done() {
  detail::AnyThread::Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  ATLAS_ASSERT(count_ > 0, "more was done than was added to a wait group");
  if (--count_ == 0) queue_.grant_all(wakeup);
}

Result<void> WaitGroup::wait(Deadline deadline) {
  std::unique_lock guard(sharing_);
  if (count_ == 0) return {};
  return queue_.wait(guard, {"wait group", this}, deadline);
}

}  // namespace atlas
