// What a scheduler knows of one fiber. Internal. Records are reused and never freed while their
// scheduler lives, so that a waker may look at one at any time; `generation` and `incarnation` tell
// it whether it still means the same wait and the same fiber.
#pragma once

#include <atlas/core/context.hpp>
#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/timer_wheel.hpp>
#include <atlas/core/unique_function.hpp>
#include <atlas/core/wait.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>

namespace atlas {

class FiberGroup;
class Scheduler;

/// Called when the fiber is about to give its thread away. Must not suspend.
class SuspendHook {
 public:
  virtual void before_suspend() noexcept = 0;

 protected:
  ~SuspendHook() = default;
};

namespace detail {

enum class FiberState : std::uint8_t { free, queued, running, parked, finished };

struct FiberRecord {
  explicit FiberRecord(Scheduler& owner);

  Scheduler& scheduler;
  std::optional<Context> context;  // none: its stack was given back

  FiberState state = FiberState::free;
  bool stack_used = false;       // since its deep pages were last given back
  bool handle_attached = false;  // a Fiber handle will ask for the outcome
  bool cancel_requested = false;
  std::uint32_t shield_depth = 0;

  // The wait: `generation` is odd while one is open; firing or closing it makes the number even.
  std::uint64_t generation = 0;
  WaitOutcome outcome;
  WaitReason reason{"", nullptr};
  Timer deadline_timer;
  Deadline scope_deadline;
  SuspendHook* suspend_hook = nullptr;

  // The fiber.
  std::uint64_t incarnation = 0;
  UniqueFunction body;
  std::exception_ptr exception;
  Waker joiner;
  FiberGroup* group = nullptr;
  ListLink<FiberRecord> group_link{this};
  FiberRecord* next = nullptr;  // in the run queue or on the free list
  std::uint8_t name_size = 0;
  std::array<char, 31> name_text{};
  std::string_view detail;  // what it is busy with: the request line

  [[nodiscard]] std::string_view name() const noexcept { return {name_text.data(), name_size}; }
  void set_name(std::string_view name) noexcept;
  [[nodiscard]] bool cancelled() const noexcept { return cancel_requested && shield_depth == 0; }

  /// Fires the wait of `wait_generation` if it is still open; true when it was. The fiber, if parked,
  /// is resumed at once where that is possible, or goes to the run queue when `queued`.
  bool fire(std::uint64_t wait_generation, std::intptr_t value, bool queued);
  /// Ends a park, but leaves the wait open: a wake that comes before the fiber runs still counts.
  void interrupt_park(WaitStatus status, bool queued);
  void request_cancellation();
};

}  // namespace detail
}  // namespace atlas
