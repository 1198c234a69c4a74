#include <atlas/core/future.hpp>

#include <future>

namespace atlas::detail {

Result<void> FutureState::wait(Deadline deadline) {
  std::unique_lock guard(sharing_);
  if (done_) return {};
  return queue_.wait(guard, {"future", this}, deadline);
}

bool FutureState::done() const {
  const std::lock_guard guard(sharing_);
  return done_;
}

void FutureState::complete() {
  AnyThread::Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  done_ = true;
  queue_.grant_all(wakeup);
}

std::error_code broken_promise() noexcept { return std::make_error_code(std::future_errc::broken_promise); }

}  // namespace atlas::detail
