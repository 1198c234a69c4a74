// What a scheduler knows of one fiber, and the scheduler's parts that every switch goes through, inline
// for the reason given in context.hpp. Internal. Records are reused and never freed while their
// scheduler lives, so that a waker may look at one at any time; `generation` tells it whether it still means
// the same wait.
#pragma once

#include <atlas/core/assert.hpp>
#include <atlas/core/context.hpp>
#include <atlas/core/cost_account.hpp>
#include <atlas/core/fiber_local.hpp>
#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/timer_wheel.hpp>
#include <atlas/core/unique_function.hpp>
#include <atlas/core/wait.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>

namespace atlas {

class FiberGroup;

/// Called when the fiber is about to give its thread away. Must not suspend.
class SuspendHook {
 public:
  virtual void before_suspend() noexcept = 0;

 protected:
  ~SuspendHook() = default;
};

namespace detail {

/// The first of all threads' schedulers, for a debugger: scripts/gdb/atlas.py finds every fiber from here.
extern Scheduler* first_scheduler;

/// `ready`: in the run queue, or running.
enum class FiberState : std::uint8_t { free, ready, parked, finished };

/// Whatever a switch touches lies in its first cache line.
struct alignas(64) FiberRecord {
  explicit FiberRecord(Scheduler& owner);

  Scheduler& scheduler;
  FiberRecord* next = nullptr;  // in the run queue or on the free list
  SuspendHook* suspend_hook = nullptr;
  CostAccount* cost = nullptr;  // nearly always: see CostMeter
  FiberState state = FiberState::free;
  bool stack_used = false;       // since its deep pages were last given back
  bool stack_shared = false;     // by fibers of several names, since then
  bool handle_attached = false;  // a Fiber handle will ask for the outcome
  bool cancel_requested = false;
  std::uint32_t shield_depth = 0;
  std::optional<Context> context;  // none: its stack was given back

  // The wait: `generation` is odd while one is open; firing or closing it makes the number even.
  std::uint64_t generation = 0;
  WaitOutcome outcome;
  WaitReason reason{"", nullptr};
  TimePoint suspended_at;  // the turn's time
  Timer deadline_timer;
  Deadline scope_deadline;

  // The fiber.
  std::uint64_t id = 0;  // unique in its scheduler
  TimePoint started_at;  // the turn's time
  UniqueFunction body;
  LocalBindings locals;  // inherited, like `scope_deadline`
  std::exception_ptr exception;
  Waker joiner;
  FiberGroup* group = nullptr;
  ListLink<FiberRecord> group_link{this};
  std::uint8_t name_size = 0;
  std::array<char, 31> name_text{};
  std::string_view detail;  // what it is busy with: the request line; a signal's handler may look at it

  [[nodiscard]] std::string_view name() const noexcept { return {name_text.data(), name_size}; }
  void set_name(std::string_view name) noexcept;
  void set_detail(std::string_view text) noexcept;
  [[nodiscard]] bool cancelled() const noexcept { return cancel_requested && shield_depth == 0; }

  /// Fires the wait of `wait_generation` if it is still open; true when it was. The fiber, if parked,
  /// is resumed at once where that is possible, or goes to the run queue when `queued`.
  bool fire(std::uint64_t wait_generation, std::intptr_t value, bool queued);
  /// Ends a park, but leaves the wait open: a wake that comes before the fiber runs still counts.
  void interrupt_park(WaitStatus status, bool queued);
  void request_cancellation();
};

/// Aborts, naming the fiber, when the thread holds a mutex by way of a StdMutexGuard. Debug builds only.
void assert_no_std_mutex_held(const FiberRecord& fiber) noexcept;

}  // namespace detail

inline void Scheduler::enqueue(detail::FiberRecord& fiber) noexcept {
  (queue_first_ != nullptr ? queue_last_->next : queue_first_) = &fiber;
  queue_last_ = &fiber;
}

inline void Scheduler::resume(detail::FiberRecord& fiber) {
  running_.store(&fiber, std::memory_order_relaxed);
  fiber.context->enter();
  running_.store(nullptr, std::memory_order_relaxed);
  if (fiber.state == detail::FiberState::finished && !fiber.handle_attached) [[unlikely]]
    release(fiber);
}

inline void Scheduler::suspend(detail::FiberRecord& fiber) {
  ATLAS_ASSERT(current_ == this && running() == &fiber, "a fiber left its thread");
#ifndef NDEBUG
  detail::assert_no_std_mutex_held(fiber);
#endif
  if (fiber.cost != nullptr) [[unlikely]]
    return detail::suspend_counted(fiber);
  fiber.context->leave();
}

}  // namespace atlas
