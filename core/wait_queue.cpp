#include <atlas/core/wait_queue.hpp>

#include <atlas/core/scheduler.hpp>

namespace atlas::detail {

constinit thread_local char OneThread::thread_mark_ = 0;

Waiter::Waiter(Wait& fiber_wait, Selection* shared_selection) noexcept
    : wait(fiber_wait), home(Scheduler::current()), selection(shared_selection) {}

void AnyThread::Wakeup::add(const Waiter& waiter) {
  if (waiter.home == Scheduler::current()) {
    waiter.wait.waker().wake_queued();
    return;
  }
  fire();
  remote_ = waiter.wait.remote_waker();
  armed_ = true;
}

template <class Sharing>
Result<void> WaitQueue::wait(std::unique_lock<Sharing>& guard, WaitReason reason, Deadline deadline) {
  Wait fiber_wait(reason);
  Waiter waiter(fiber_wait);
  return wait(guard, waiter, deadline);
}

template Result<void> WaitQueue::wait(std::unique_lock<OneThread>&, WaitReason, Deadline);
template Result<void> WaitQueue::wait(std::unique_lock<AnyThread>&, WaitReason, Deadline);

}  // namespace atlas::detail
