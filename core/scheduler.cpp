#include <atlas/core/scheduler.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/resolver.hpp>
#include <atlas/core/stack_overflow.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

namespace atlas {

using detail::FiberRecord;
using detail::FiberState;
using detail::StackMemory;
using detail::StackPool;

constinit thread_local Scheduler* Scheduler::current_ = nullptr;
constinit Scheduler* detail::first_scheduler = nullptr;

static constinit std::mutex schedulers_mutex;  // for the list that begins there

/// As a std::thread does whose function throws, but saying which one it was.
[[noreturn]] static void abort_on_exception(const FiberRecord& fiber) noexcept {
  const char* what = "not a std::exception";
  try {
    std::rethrow_exception(fiber.exception);
  } catch (const std::exception& error) {
    fmt::print(stderr, "atlas: an exception left fiber '{}', which nobody joins: {}\n", fiber.name(),
               error.what());
  } catch (...) {
    fmt::print(stderr, "atlas: an exception left fiber '{}', which nobody joins: {}\n", fiber.name(), what);
  }
  std::abort();
}

/// Makes a scheduler the thread's current one for a scope.
class Scheduler::Binding {
 public:
  explicit Binding(Scheduler& scheduler) : previous_(current_) {
    ATLAS_ASSERT(current_ == nullptr || current_ == &scheduler, "a thread runs one scheduler at a time");
    current_ = &scheduler;
  }
  ~Binding() { current_ = previous_; }
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

 private:
  Scheduler* previous_;
};

Scheduler::Scheduler(Driver& driver, SchedulerOptions options)
    : driver_(driver),
      options_(options),
      inbox_(std::make_shared<Inbox>(driver)),
      timers_(driver.now()),
      stacks_(options.stack_bytes),
      chunks_(options.read_chunk_bytes),
      trim_timer_([](void* self) { static_cast<Scheduler*>(self)->trim(); }, this) {
  const std::lock_guard lock(schedulers_mutex);
  next_scheduler_ = std::exchange(detail::first_scheduler, this);
}

Scheduler::~Scheduler() {
  inbox_->close();
  ATLAS_ASSERT(alive_ == 0, "a scheduler was destroyed while a fiber was alive");
  trim_timer_.disarm();
  ATLAS_ASSERT(timers_.armed_count() == 0, "a scheduler was destroyed while a timer was armed");
  for (auto& record : records_) {
    if (record.context) stacks_.give_back(take_stack(record));
  }
  const std::lock_guard lock(schedulers_mutex);
  Scheduler** link = &detail::first_scheduler;
  while (*link != this) link = &(*link)->next_scheduler_;
  *link = next_scheduler_;
}

void Scheduler::run() {
  const Binding binding(*this);
  const detail::StackOverflowGuard overflow_guard;
  stopping_ = false;
  while (!stopped()) turn(!stopping_);
}

Resolver& Scheduler::resolver() {
  if (resolver_ == nullptr) resolver_ = std::make_unique<Resolver>();
  return *resolver_;
}

void Scheduler::set_resolver(std::unique_ptr<Resolver> resolver) noexcept { resolver_ = std::move(resolver); }

void Scheduler::turn(bool may_wait) {
  const Binding binding(*this);
  ATLAS_ASSERT(!on_fiber(), "a fiber cannot turn its own scheduler's loop");
  work_through();
  const bool wait = may_wait && queue_first_ == nullptr && !stopping_;
  beat();
  driver_.poll(wait ? timers_.next_event() : driver_.turn_time());
  beat();
}

void Scheduler::interlude() {
  ATLAS_ASSERT(!on_fiber(), "a driver reported from a fiber");
  beat();
  work_through();
  beat();
}

// Nobody else writes it.
void Scheduler::beat() noexcept {
  beat_.store(beat_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Scheduler::work_through() {
  inbox_->drain();
  timers_.advance(driver_.turn_time());
  run_batch();
}

// Bounded, so that fibers which keep waking one another cannot starve I/O.
void Scheduler::run_batch() {
  for (std::size_t i = 0; i < options_.switches_per_turn_max && queue_first_ != nullptr; ++i) {
    if (options_.wake_order != nullptr) [[unlikely]]
      bring_forward(options_.wake_order->next(ready_count()));
    FiberRecord& fiber = *queue_first_;
    queue_first_ = std::exchange(fiber.next, nullptr);
    resume(fiber);
  }
}

std::size_t Scheduler::ready_count() const noexcept {
  std::size_t count = 0;
  for (const auto* fiber = queue_first_; fiber != nullptr; fiber = fiber->next) ++count;
  return count;
}

void Scheduler::bring_forward(std::size_t place) noexcept {
  if (place == 0) return;
  FiberRecord* before = queue_first_;
  while (--place > 0) before = before->next;
  FiberRecord* chosen = before->next;
  before->next = chosen->next;
  if (queue_last_ == chosen) queue_last_ = before;
  chosen->next = std::exchange(queue_first_, chosen);
}

void Scheduler::start(std::string_view name, UniqueFunction body) {
  wake(create(name, std::move(body), running()), true);
}

FiberRecord& Scheduler::create(std::string_view name, UniqueFunction&& body, const FiberRecord* parent) {
  if (free_ == nullptr) add_stack();
  FiberRecord* fiber = free_;
  free_ = std::exchange(fiber->next, nullptr);
  if (fiber->name() != name) rename(*fiber, name);
  fiber->body = std::move(body);
  if (parent != nullptr) {
    fiber->locals = parent->locals;
    fiber->scope_deadline = parent->scope_deadline;
    if (parent->cost != nullptr) fiber->cost = parent->cost->share();
  }
  fiber->state = FiberState::parked;
  fiber->stack_used = true;
  fiber->id = ++started_;
  fiber->started_at = driver_.turn_time();
  alive_high_water_ = std::max(alive_high_water_, ++alive_);
  return *fiber;
}

void Scheduler::add_stack() {
  if (free_without_stack_ == nullptr) free_without_stack_ = &records_.emplace_back(*this);
  FiberRecord& fiber = *free_without_stack_;
  fiber.context.emplace(stacks_.take(), run_fiber, &fiber);  // may throw: the record stays where it is
  free_without_stack_ = std::exchange(fiber.next, free_);
  free_ = &fiber;
  ++stack_count_;
  if (!trim_timer_.armed()) arm_trim(options_.trim_interval);
}

StackMemory Scheduler::take_stack(FiberRecord& fiber) noexcept {
  const auto stack = fiber.context->memory();
  fiber.context.reset();
  fiber.stack_used = fiber.stack_shared = false;
  --stack_count_;
  return stack;
}

void Scheduler::arm_trim(Duration delay) noexcept {
  if (options_.trim_interval > Duration::zero()) trim_timer_.arm(timers_, driver_.turn_time() + delay);
}

void Scheduler::run_fiber(void* record) noexcept {
  auto& fiber = *static_cast<FiberRecord*>(record);
  if (fiber.cost != nullptr) fiber.cost->begins_to_run(fiber);
  try {
    fiber.body();
  } catch (...) {
    fiber.exception = std::current_exception();
  }
  fiber.body.reset();
  fiber.locals = {};
  if (fiber.cost != nullptr) {
    fiber.cost->ceases_to_run(fiber);
    std::exchange(fiber.cost, nullptr)->release();
  }
  fiber.scheduler.finish(fiber);
}

void Scheduler::finish(FiberRecord& fiber) noexcept {
  fiber.state = FiberState::finished;
  if (fiber.group != nullptr) detail::left_group(fiber);
  if (fiber.exception != nullptr && !fiber.handle_attached) abort_on_exception(fiber);
  fiber.joiner.wake_queued();
}

void Scheduler::release(FiberRecord& fiber) noexcept {
  fiber.state = FiberState::free;
  fiber.handle_attached = false;
  fiber.cancel_requested = false;
  fiber.shield_depth = 0;
  fiber.scope_deadline = {};
  fiber.suspend_hook = nullptr;
  fiber.exception = nullptr;
  fiber.joiner = {};
  fiber.group = nullptr;
  fiber.set_detail({});
  fiber.next = free_;
  free_ = &fiber;
  --alive_;
}

void Scheduler::wake(FiberRecord& fiber, bool queued) {
  ATLAS_ASSERT(current_ == this || current_ == nullptr, "a fiber was woken from another scheduler's thread");
  fiber.state = FiberState::ready;
  if (!queued && current_ == this && !on_fiber()) return resume(fiber);
  if (fiber.cost != nullptr) fiber.cost->was_woken(fiber);
  enqueue(fiber);
}

const FiberRecord* Scheduler::overflowed_fiber(const void* address) const noexcept {
  const auto* fiber = running();
  if (fiber == nullptr || !fiber->context) return nullptr;
  return stacks_.in_guard(fiber->context->memory(), address) ? fiber : nullptr;
}

// What is behind `Fiber::name()` and its stack's mark changes together: a stack's depth is looked at before
// another name takes it over, as often as samples are left; else it is nobody's.
void Scheduler::rename(FiberRecord& fiber, std::string_view name) noexcept {
  if (fiber.stack_used) {
    sample_stack(fiber);
    fiber.stack_shared = samples_left_ == 0;
    if (!fiber.stack_shared) discard_deep_pages(fiber);
  }
  fiber.set_name(name);
}

void Scheduler::sample_stack(const FiberRecord& fiber) noexcept {
  if (!fiber.context || !fiber.stack_used || fiber.stack_shared || samples_left_ == 0) return;
  --samples_left_;
  marks_.note(fiber.name(), StackPool::touched_bytes(fiber.context->memory()));
}

void Scheduler::sample_stacks() noexcept {
  for (auto record = records_.begin(); record != records_.end() && samples_left_ > 0; ++record)
    sample_stack(*record);
}

std::vector<StackMark> Scheduler::stack_marks() {
  sample_stacks();
  std::vector<StackMark> marks;
  for (const auto& mark : marks_.all()) {
    marks.push_back({std::string(mark.name()), std::max(mark.bytes_max, shallow_bytes), mark.samples});
  }
  return marks;
}

// Stacks that the last interval needed at its busiest stay, without their deep pages; the rest go. Each costs
// a system call, so that many of them are given back in portions.
void Scheduler::trim() noexcept {
  constexpr std::size_t portion = 500;
  constexpr auto pause = std::chrono::milliseconds(10);
  samples_left_ = samples_per_interval;
  chunks_.trim();
  sample_stacks();
  std::size_t left = portion;
  for (; left > 0 && stack_count_ > alive_high_water_; --left) remove_idle_stack();
  for (auto* fiber = free_; left > 0 && fiber != nullptr; fiber = fiber->next) {
    if (!fiber->stack_used) continue;
    discard_deep_pages(*fiber);
    --left;
  }
  stacks_.release_empty_slabs();
  if (left == 0) return arm_trim(pause);
  alive_high_water_ = alive_;
  if (stacks_.slab_count() > 0) arm_trim(options_.trim_interval);
}

void Scheduler::remove_idle_stack() noexcept {
  FiberRecord& fiber = *free_;
  free_ = std::exchange(fiber.next, free_without_stack_);
  free_without_stack_ = &fiber;
  const auto stack = take_stack(fiber);
  StackPool::discard_deep_pages(stack, 0);
  stacks_.give_back(stack);
}

void Scheduler::discard_deep_pages(FiberRecord& fiber) noexcept {
  StackPool::discard_deep_pages(fiber.context->memory(), shallow_bytes);
  fiber.stack_used = fiber.stack_shared = false;
}

}  // namespace atlas
