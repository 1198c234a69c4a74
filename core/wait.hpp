// The one way to wait. Every blocking call of Atlas is written on it, so that deadlines,
// cancellation and the reason of a wait hold everywhere.
//
//   Wait wait({"read", &stream});
//   start_operation(wait.waker());          // a callback keeps the waker and fires it later
//   auto outcome = wait.park(deadline);     // suspends this fiber only
//
// A waker is a ticket, not a pointer into the fiber's stack: fired late, after the wait ended for
// another reason, it does nothing. What the operation works on belongs to the operation.
#pragma once

#include <atlas/core/time.hpp>

#include <cstdint>
#include <memory>
#include <system_error>

namespace atlas {

class Inbox;

namespace detail {
struct FiberRecord;
}

/// What a fiber waits for: static text, and the object it waits on (for the eyes of a debugger).
struct WaitReason {
  const char* text;
  const void* object = nullptr;
};

enum class WaitStatus : std::uint8_t { woken, timed_out, cancelled };

struct WaitOutcome {
  WaitStatus status = WaitStatus::woken;
  std::intptr_t value = 0;  ///< What the waker was fired with, when woken.

  [[nodiscard]] bool woken() const noexcept { return status == WaitStatus::woken; }
  /// std::errc::timed_out or operation_canceled; none when woken.
  [[nodiscard]] std::error_code error() const noexcept;
};

/// A one-shot ticket to end one wait, copied freely; of all copies the first to fire counts. Valid
/// for as long as its scheduler lives. Of the scheduler's own thread: see RemoteWaker for others.
class Waker {
 public:
  Waker() noexcept = default;

  /// Ends the wait with `value`. From a callback, on the loop's own stack, the fiber runs at once,
  /// before this returns; from another fiber, it joins the run queue. False when the wait is over.
  bool wake(std::intptr_t value = 0) const;
  /// As `wake`, but always by way of the run queue: for who walks a list of waiters.
  bool wake_queued(std::intptr_t value = 0) const;
  /// Whether the wait is still to be ended.
  [[nodiscard]] bool pending() const noexcept;
  friend bool operator==(const Waker&, const Waker&) noexcept = default;

 private:
  friend class Wait;
  Waker(detail::FiberRecord* fiber, std::uint64_t generation) : fiber_(fiber), generation_(generation) {}

  detail::FiberRecord* fiber_ = nullptr;
  std::uint64_t generation_ = 0;
};

/// A waker for other threads: it goes by way of the loop's inbox.
class RemoteWaker {
 public:
  RemoteWaker() noexcept = default;
  /// From any thread, also after the wait or the scheduler has ended.
  void wake(std::intptr_t value = 0) const;
  /// Whether both mean the same wait. From any thread.
  friend bool operator==(const RemoteWaker&, const RemoteWaker&) noexcept = default;

 private:
  friend class Wait;
  RemoteWaker(std::shared_ptr<Inbox> inbox, Waker waker) : inbox_(std::move(inbox)), waker_(waker) {}

  std::shared_ptr<Inbox> inbox_;
  Waker waker_;
};

/// One wait of the running fiber. Lives on its stack; at most one is open at a time.
class Wait {
 public:
  /// Opens the wait: wakers are valid from here. `reason.text` must be static.
  explicit Wait(WaitReason reason) noexcept;
  /// Closes it, parked or not: wakers still around do nothing.
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  [[nodiscard]] Waker waker() const noexcept;
  [[nodiscard]] RemoteWaker remote_waker() const;

  /// An error when a park would end at once because the fiber is cancelled or a deadline is over: for who had
  /// better not begin then.
  [[nodiscard]] std::error_code refusal(Deadline deadline = {}) const noexcept;

  /// Suspends until woken, until `deadline` or the DeadlineScope's (the earlier one), or until the
  /// fiber is cancelled, whichever is first. A wake that came before counts, and nothing is suspended.
  /// May be called again after a time-out, with the same wakers.
  [[nodiscard]] WaitOutcome park(Deadline deadline = {});

 private:
  detail::FiberRecord* fiber_;
  std::uint64_t generation_;
};

}  // namespace atlas
