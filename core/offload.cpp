#include <atlas/core/offload.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/unhurried.hpp>

#include <pthread.h>

#include <algorithm>
#include <memory>
#include <system_error>

namespace atlas {
namespace {

OffloadLimits with_threads(OffloadLimits limits) {
  if (limits.threads == 0) limits.threads = std::max(1U, std::thread::hardware_concurrency());
  return limits;
}

thread_local std::size_t calls_under_way = 0;

struct CallCount {
  CallCount() noexcept { ++calls_under_way; }
  ~CallCount() { --calls_under_way; }
  CallCount(const CallCount&) = delete;
  CallCount& operator=(const CallCount&) = delete;
};

// Never destroyed: its threads may be at work when the process exits, and nobody can wait for them then.
OffloadPool& process_pool() {
  static OffloadPool& pool = *std::make_unique<OffloadPool>().release();
  return pool;
}

}  // namespace

OffloadPool::OffloadPool(const OffloadLimits& limits) : limits_(with_threads(limits)) {
  threads_.reserve(limits_.threads);
}

OffloadPool::~OffloadPool() {
  {
    const std::lock_guard lock(mutex_);
    ATLAS_ASSERT(works_count_ == 0 && busy_ == 0, "an offload pool was destroyed while a call was under way");
    ending_ = true;
  }
  work_there_.notify_all();
  for (auto& thread : threads_) thread.join();
}

OffloadPool& OffloadPool::current() {
  auto* scheduler = Scheduler::current();
  auto* pool = scheduler != nullptr ? scheduler->offload_pool() : nullptr;
  return pool != nullptr ? *pool : process_pool();
}

std::size_t OffloadPool::calls_of_this_thread() noexcept { return calls_under_way; }

OffloadStatus OffloadPool::status() const {
  const std::lock_guard lock(mutex_);
  const std::size_t queued = std::min(works_count_, limits_.queue_max);
  return {
      .threads = threads_.size(), .busy = busy_, .queued = queued, .waiting_for_room = works_count_ - queued};
}

Result<void> OffloadPool::perform(detail::OffloadWork& work, Deadline deadline) {
  Wait wait({"offload", this});
  if (const auto refusal = wait.refusal(deadline)) return Unexpected(refusal);
  const CallCount counted;
  work.waker = wait.remote_waker();
  if (auto accepted = enqueue(work); !accepted) return accepted;
  const auto outcome = wait.park(deadline);
  if (outcome.woken()) return {};
  if (withdraw(work)) return Unexpected(outcome.error());
  const detail::Unhurried unhurried;
  ATLAS_ASSERT(wait.park().woken(), "an unhurried wait was cut short");
  return {};
}

Result<void> OffloadPool::enqueue(detail::OffloadWork& work) {
  {
    const std::lock_guard lock(mutex_);
    const bool more_threads = works_count_ >= idle_ && threads_.size() < limits_.threads;
    if (more_threads && !start_thread() && threads_.empty()) {
      return Unexpected(std::errc::resource_unavailable_try_again);
    }
    work.link.insert_before(works_);
    ++works_count_;
  }
  work_there_.notify_one();
  return {};
}

bool OffloadPool::withdraw(detail::OffloadWork& work) {
  const std::lock_guard lock(mutex_);
  if (work.link.alone()) return false;
  work.link.unlink();
  --works_count_;
  return true;
}

bool OffloadPool::start_thread() {
  try {
    threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {
    return false;
  }
  ::pthread_setname_np(threads_.back().native_handle(), "atlas-offload");
  return true;
}

void OffloadPool::serve() {
  while (auto* work = begin_work()) {
    const RemoteWaker waker = std::move(work->waker);
    work->run();
    end_work();
    waker.wake();  // then the fiber, and `work` with it, may be gone
  }
}

detail::OffloadWork* OffloadPool::begin_work() {
  std::unique_lock lock(mutex_);
  ++idle_;
  work_there_.wait(lock, [this] { return works_count_ > 0 || ending_; });
  --idle_;
  if (works_count_ == 0) return nullptr;
  auto* work = works_.next->owner;
  work->link.unlink();
  --works_count_;
  ++busy_;
  return work;
}

void OffloadPool::end_work() {
  const std::lock_guard lock(mutex_);
  --busy_;
}

OffloadStatus offload_status() { return OffloadPool::current().status(); }

}  // namespace atlas
