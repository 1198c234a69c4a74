// Fibers as users meet them: straight-line code that suspends instead of blocking its thread. A fiber
// stays on the thread it was spawned on, for good: thread-locals and non-atomic state are safe across
// a suspension.
#pragma once

#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/unique_function.hpp>
#include <atlas/core/wait.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

namespace atlas {

namespace detail {
struct FiberRecord;
void left_group(FiberRecord& fiber) noexcept;
}  // namespace detail

/// Owns a fiber, as std::jthread owns a thread: destruction cancels it and waits for its end.
class [[nodiscard]] Fiber {
 public:
  Fiber() noexcept = default;
  Fiber(Fiber&& other) noexcept;
  Fiber& operator=(Fiber&& other) noexcept;
  /// Suspends, when the fiber is still alive; may be called anywhere when it is not.
  ~Fiber();

  /// Suspends until the fiber has ended, and rethrows the exception that ended it, if one did. An error
  /// (timed_out, operation_canceled) says that the wait ended first: the fiber is still there.
  Result<void> join(Deadline deadline = {});

  /// Asks the fiber to end: its present wait and all later ones answer operation_canceled.
  void cancel();

  /// False once joined, or when moved from.
  [[nodiscard]] bool joinable() const noexcept { return record_ != nullptr; }
  [[nodiscard]] bool done() const noexcept;

 private:
  friend Fiber spawn(std::string_view name, UniqueFunction body);
  explicit Fiber(detail::FiberRecord& record) noexcept : record_(&record) {}

  detail::FiberRecord* record_ = nullptr;
};

/// Puts a new fiber into this thread's run queue. `name` (up to 31 bytes are kept) appears in reports.
[[nodiscard]] Fiber spawn(std::string_view name, UniqueFunction body);

/// Fibers that end together. An exception in one cancels the others, also those spawned from then on,
/// and comes out of `join`.
/// Belongs to one thread; must not move, nor be destroyed while a fiber joins it.
class FiberGroup {
 public:
  FiberGroup() = default;
  /// Suspends: cancels what is left and waits for it.
  ~FiberGroup();
  FiberGroup(const FiberGroup&) = delete;
  FiberGroup& operator=(const FiberGroup&) = delete;

  void spawn(std::string_view name, UniqueFunction body);
  /// As `spawn`, of a fiber whose work is no part of the caller's: it inherits no fiber-locals, no deadline
  /// and no cost.
  void spawn_apart(std::string_view name, UniqueFunction body);
  void cancel();
  /// Suspends until all have ended, then rethrows the first exception. An error says that the wait
  /// ended before they did. Several fibers may join; the first to go on gets the exception.
  Result<void> join(Deadline deadline = {});
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  friend void detail::left_group(detail::FiberRecord& fiber) noexcept;

  void add(detail::FiberRecord& record);
  Result<void> wait_until_empty(Deadline deadline);

  detail::ListLink<detail::FiberRecord> members_;
  detail::ListLink<const Waker> joiners_;  // on their fibers' stacks
  std::size_t size_ = 0;
  std::exception_ptr exception_;
};

/// While it lives, cancellation of the running fiber is kept back; it is seen at the first wait after.
class CancellationShield {
 public:
  CancellationShield();
  ~CancellationShield();
  CancellationShield(const CancellationShield&) = delete;
  CancellationShield& operator=(const CancellationShield&) = delete;
};

/// While it lives, every wait of the running fiber ends at this deadline or at an outer scope's,
/// whichever is earlier. Fibers that are started meanwhile inherit it, and keep it.
class DeadlineScope {
 public:
  explicit DeadlineScope(Deadline deadline);
  explicit DeadlineScope(Duration from_now) : DeadlineScope(Deadline::after(from_now)) {}
  ~DeadlineScope();
  DeadlineScope(const DeadlineScope&) = delete;
  DeadlineScope& operator=(const DeadlineScope&) = delete;

 private:
  Deadline outer_;
};

namespace this_fiber {

/// Whether the caller runs on a fiber, and so may call what suspends.
[[nodiscard]] bool exists() noexcept;
/// Suspends: lets others that are ready run first.
void yield();
/// Suspends for `duration` at least. An error (operation_canceled, or timed_out by a DeadlineScope) when it
/// ended early.
Result<void> sleep_for(Duration duration);
/// Whether somebody has asked this fiber to end (and no shield is up).
[[nodiscard]] bool cancelled() noexcept;
[[nodiscard]] std::string_view name() noexcept;
/// Unique among the fibers of this thread's scheduler; FiberFacts::id.
[[nodiscard]] std::uint64_t id() noexcept;
/// What this fiber is busy with, for reports (a request line). The bytes must live until replaced.
void set_detail(std::string_view detail) noexcept;

}  // namespace this_fiber
}  // namespace atlas
