#include <atlas/core/inbox.hpp>

#include <utility>

namespace atlas {

bool Inbox::post(UniqueFunction task) {
  const std::lock_guard lock(mutex_);
  if (driver_ == nullptr) return false;
  const bool first = posted_.empty();
  posted_.push_back(std::move(task));
  if (first) driver_->interrupt();
  return true;
}

bool Inbox::drain() {
  {
    const std::lock_guard lock(mutex_);
    if (posted_.empty()) return false;
    posted_.swap(draining_);
  }
  for (auto& task : draining_) {
    task();
    task.reset();
  }
  draining_.clear();
  return true;
}

void Inbox::close() {
  std::vector<UniqueFunction> unrun;
  const std::lock_guard lock(mutex_);
  driver_ = nullptr;
  unrun.swap(posted_);
}

}  // namespace atlas
