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
  for (auto& record : records_) trim_stack(record, false);
  const std::lock_guard lock(schedulers_mutex);
  Scheduler** link = &detail::first_scheduler;
  while (*link != this) link = &(*link)->next_scheduler_;
  *link = next_scheduler_;
}

void Scheduler::run() {
  const Binding binding(*this);
  const detail::StackOverflowGuard overflow_guard;
  stopping_ = false;
  while (!stopping_ || queue_first_ != nullptr) turn(!stopping_);
}

Resolver& Scheduler::resolver() {
  if (resolver_ == nullptr) resolver_ = std::make_unique<Resolver>();
  return *resolver_;
}

void Scheduler::set_resolver(std::unique_ptr<Resolver> resolver) noexcept { resolver_ = std::move(resolver); }

void Scheduler::turn(bool may_wait) {
  const Binding binding(*this);
  ATLAS_ASSERT(!on_fiber(), "a fiber cannot turn its own scheduler's loop");
  inbox_->drain();
  timers_.advance(driver_.turn_time());
  run_batch();
  const bool wait = may_wait && queue_first_ == nullptr && !stopping_;
  const auto beat = beat_.load(std::memory_order_relaxed);
  beat_.store(beat + 1, std::memory_order_relaxed);
  driver_.poll(wait ? timers_.next_event() : driver_.turn_time());
  beat_.store(beat + 2, std::memory_order_relaxed);
}

// Bounded, so that fibers which keep waking one another cannot starve I/O.
void Scheduler::run_batch() {
  for (std::size_t i = 0; i < options_.switches_per_turn_max && queue_first_ != nullptr; ++i) {
    FiberRecord& fiber = *queue_first_;
    queue_first_ = std::exchange(fiber.next, nullptr);
    resume(fiber);
  }
}

void Scheduler::start(std::string_view name, UniqueFunction body) {
  wake(create(name, std::move(body)), true);
}

FiberRecord& Scheduler::create(std::string_view name, UniqueFunction body) {
  if (free_ == nullptr) free_ = &records_.emplace_back(*this);
  FiberRecord* fiber = free_;
  if (!fiber->context) give_stack(*fiber);  // may throw: the record stays on the free list
  free_ = std::exchange(fiber->next, nullptr);
  if (fiber->name() != name) rename(*fiber, name);
  fiber->body = std::move(body);
  if (const auto* parent = running()) {
    fiber->locals = parent->locals;
    fiber->scope_deadline = parent->scope_deadline;
  }
  fiber->state = FiberState::parked;
  fiber->stack_used = true;
  fiber->id = ++started_;
  fiber->started_at = driver_.turn_time();
  alive_high_water_ = std::max(alive_high_water_, ++alive_);
  return *fiber;
}

void Scheduler::give_stack(FiberRecord& fiber) {
  fiber.context.emplace(stacks_.take(), run_fiber, &fiber);
  if (!trim_timer_.armed()) arm_trim();
}

void Scheduler::arm_trim() noexcept {
  if (options_.trim_interval <= Duration::zero()) return;
  trim_timer_.arm(timers_, driver_.turn_time() + options_.trim_interval);
}

void Scheduler::run_fiber(void* record) noexcept {
  auto& fiber = *static_cast<FiberRecord*>(record);
  try {
    fiber.body();
  } catch (...) {
    fiber.exception = std::current_exception();
  }
  fiber.body.reset();
  fiber.locals = {};
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
  marks_.note(fiber.name(), detail::StackPool::touched_bytes(fiber.context->memory()));
}

std::vector<StackMark> Scheduler::stack_marks() {
  for (const auto& record : records_) sample_stack(record);
  std::vector<StackMark> marks;
  for (const auto& mark : marks_.all()) {
    marks.push_back({std::string(mark.name()), std::max(mark.bytes_max, shallow_bytes), mark.samples});
  }
  return marks;
}

// Stacks that the last interval needed at its busiest stay, without their deep pages; the rest go.
void Scheduler::trim() noexcept {
  samples_left_ = samples_per_interval;
  for (const auto& record : records_) sample_stack(record);
  std::size_t kept = 0;
  const std::size_t keep_max = alive_high_water_ - alive_;
  for (FiberRecord* fiber = free_; fiber != nullptr; fiber = fiber->next) {
    if (!fiber->context) continue;
    const bool keep = kept < keep_max;
    trim_stack(*fiber, keep);
    if (keep) ++kept;
  }
  alive_high_water_ = alive_;
  stacks_.release_empty_slabs();
  if (stacks_.slab_count() > 0) arm_trim();
}

void Scheduler::trim_stack(FiberRecord& fiber, bool keep) noexcept {
  if (!fiber.context) return;
  if (!keep) {
    const auto memory = fiber.context->memory();
    fiber.context.reset();
    detail::StackPool::discard_deep_pages(memory, 0);
    stacks_.give_back(memory);
    fiber.stack_used = fiber.stack_shared = false;
  } else if (fiber.stack_used) {
    discard_deep_pages(fiber);
  }
}

void Scheduler::discard_deep_pages(FiberRecord& fiber) noexcept {
  detail::StackPool::discard_deep_pages(fiber.context->memory(), shallow_bytes);
  fiber.stack_used = fiber.stack_shared = false;
}

}  // namespace atlas
