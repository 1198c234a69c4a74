// What every primitive of synchronisation is made of: a queue of waiting fibers, first come, first served,
// and the two ways to guard one: by a short std::mutex, for fibers of any thread, or by nothing but the
// promise that all of them belong to one. Internal, though users' headers include it.
//
// A waiter lies on its fiber's stack. Whoever ends its wait takes it out of the queue, marks it as granted
// and copies its waker, all under the guard, and touches it no more once the waker is fired. A fiber whose
// wait ended in another way takes the guard and looks whether it was granted meanwhile. So a hand-over is
// never lost: one that raced with a time-out or a cancellation has happened. And nobody touches a waiter
// whose fiber has gone on, nor a primitive that its last user has destroyed.
#pragma once

#include <atlas/core/assert.hpp>
#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait.hpp>

#include <atomic>
#include <mutex>
#include <utility>

namespace atlas {

class Scheduler;

namespace detail {

struct Waiter;

/// What the waiters of one fiber share when it waits in several queues and the first to serve it wins.
struct Selection {
  std::atomic<const Waiter*> winner = nullptr;
};

/// One fiber in one queue.
struct Waiter {
  /// `fiber_wait` is an open wait of the running fiber, and outlives this.
  explicit Waiter(Wait& fiber_wait, Selection* shared_selection = nullptr) noexcept;

  /// Whether this waiter, rather than another of its selection, is the one to be served. Asked once.
  [[nodiscard]] bool claim() const noexcept {
    const Waiter* nobody = nullptr;
    return selection == nullptr || selection->winner.compare_exchange_strong(nobody, this);
  }

  Wait& wait;
  const Scheduler* home;  // the thread of its fiber
  Selection* selection;
  ListLink<Waiter> link{this};
  bool granted = false;
};

/// For objects of one thread: whichever uses it first. Guards nothing, but asserts that.
class OneThread {
 public:
  void lock() noexcept {
    if (thread_ == nullptr) thread_ = &thread_mark_;
    ATLAS_ASSERT(thread_ == &thread_mark_, "an object of atlas::local was used by two threads");
  }
  void unlock() noexcept {}

  /// Without `lock`: makes `value` the `desired` one if it is the `expected` one; whether it was.
  template <class T>
  [[nodiscard]] bool exchange_if(T& value, T expected, T desired) noexcept {
    lock();
    if (value != expected) return false;
    value = desired;
    return true;
  }

  /// Wakes what it is given, at once: from the run queue, so nobody runs in between.
  struct Wakeup {
    void add(const Waiter& waiter) { waiter.wait.waker().wake_queued(); }
    void fire() noexcept {}
  };

 private:
  [[gnu::tls_model("initial-exec")]] static constinit thread_local char thread_mark_;

  const char* thread_ = nullptr;
};

/// For objects of any thread. Held for some dozens of instructions, never across a suspension.
class AnyThread {
 public:
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  /// Without `lock`: makes `value` the `desired` one if it is the `expected` one; whether it was.
  template <class T>
  [[nodiscard]] static bool exchange_if(T& value, T expected, T desired) noexcept {
    return std::atomic_ref(value).compare_exchange_strong(expected, desired, std::memory_order_acq_rel,
                                                          std::memory_order_relaxed);
  }

  /// Wakes fibers of its own thread at once (they join the run queue), those of others when it is destroyed.
  /// Declared before the guard, it is destroyed after: the owner of the loop that is woken up finds the guard
  /// free. Of many fibers (a broadcast) only the last is kept for then.
  class Wakeup {
   public:
    Wakeup() noexcept = default;
    ~Wakeup() { fire(); }
    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    void add(const Waiter& waiter);
    void fire() {
      if (std::exchange(armed_, false)) remote_.wake();
    }

   private:
    RemoteWaker remote_;
    bool armed_ = false;
  };

 private:
  std::mutex mutex_;
};

/// Waiting fibers in the order of their coming. All calls are made under the primitive's guard.
class WaitQueue {
 public:
  WaitQueue() = default;
  ~WaitQueue() { ATLAS_ASSERT(empty(), "destroyed while a fiber waits for it"); }
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  [[nodiscard]] bool empty() const noexcept { return waiters_.alone(); }
  [[nodiscard]] Waiter& first() const noexcept { return *waiters_.next->owner; }
  void append(Waiter& waiter) noexcept { waiter.link.insert_before(waiters_); }

  /// Suspends, the guard free meanwhile, until `waiter` is granted, which counts whatever else happens: the
  /// guard stays free then. Else takes it out of the queue, under the guard, which is held again, and says
  /// why: timed_out, operation_canceled.
  template <class Sharing>
  Result<void> wait(std::unique_lock<Sharing>& guard, Waiter& waiter, Deadline deadline) {
    append(waiter);
    guard.unlock();
    const auto outcome = waiter.wait.park(deadline);
    if (outcome.woken()) {
      ATLAS_ASSERT(waiter.granted, "a fiber was woken without what it waits for");
      return {};
    }
    guard.lock();
    if (!waiter.granted) {
      waiter.link.unlink();
      return Unexpected(outcome.error());
    }
    guard.unlock();
    return {};
  }
  template <class Sharing>
  Result<void> wait(std::unique_lock<Sharing>& guard, WaitReason reason, Deadline deadline);

  /// Takes the oldest waiter that is to be served out of the queue, to be granted; null when there is none.
  [[nodiscard]] Waiter* claim_first() noexcept {  // NOLINT(readability-make-member-function-const)
    while (!empty()) {
      Waiter& waiter = first();
      waiter.link.unlink();
      if (waiter.claim()) return &waiter;
    }
    return nullptr;
  }

  /// Ends the wait of one that was claimed.
  template <class Wakeup>
  static void grant(Waiter& waiter, Wakeup& wakeup) {
    waiter.granted = true;
    wakeup.add(waiter);
  }
  /// False when nobody waits.
  template <class Wakeup>
  bool grant_first(Wakeup& wakeup) {
    Waiter* waiter = claim_first();
    if (waiter != nullptr) grant(*waiter, wakeup);
    return waiter != nullptr;
  }
  template <class Wakeup>
  void grant_all(Wakeup& wakeup) {
    while (grant_first(wakeup)) continue;
  }

 private:
  ListLink<Waiter> waiters_;
};

extern template Result<void> WaitQueue::wait(std::unique_lock<OneThread>&, WaitReason, Deadline);
extern template Result<void> WaitQueue::wait(std::unique_lock<AnyThread>&, WaitReason, Deadline);

}  // namespace detail
}  // namespace atlas
