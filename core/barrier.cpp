#include <atlas/core/barrier.hpp>

#include <atlas/core/assert.hpp>

namespace atlas {

Barrier::Barrier(std::size_t parties) : parties_(parties) {
  ATLAS_ASSERT(parties > 0, "a barrier is for one fiber at least");
}

Result<bool> Barrier::arrive_and_wait(Deadline deadline) {
  detail::AnyThread::Wakeup wakeup;
  std::unique_lock guard(sharing_);
  if (waiting_ + 1 == parties_) {
    waiting_ = 0;
    queue_.grant_all(wakeup);
    return true;
  }
  ++waiting_;
  if (const auto waited = queue_.wait(guard, {"barrier", this}, deadline); !waited) {
    --waiting_;
    return Unexpected(waited.error());
  }
  return false;
}

}  // namespace atlas
