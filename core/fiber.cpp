#include <atlas/core/fiber.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber_local.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/unhurried.hpp>

#include <optional>
#include <utility>

namespace atlas {
namespace {

using detail::FiberRecord;
using detail::FiberState;

Scheduler& current_scheduler() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr, "fibers need a thread that runs a scheduler");
  return *scheduler;
}

FiberRecord& running_fiber() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr && scheduler->on_fiber(), "this needs a fiber");
  return *scheduler->running();
}

TimePoint present() noexcept {
  auto* scheduler = Scheduler::current();
  return scheduler != nullptr ? scheduler->driver().now() : std::chrono::steady_clock::now();
}

}  // namespace

Deadline Deadline::after(Duration duration) noexcept {
  const TimePoint now = present();
  return duration >= TimePoint::max() - now ? Deadline() : Deadline(now + duration);
}

bool Deadline::passed() const noexcept { return !is_never() && when_ <= present(); }

Fiber::Fiber(Fiber&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}

Fiber& Fiber::operator=(Fiber&& other) noexcept {
  Fiber previous(std::move(*this));
  record_ = std::exchange(other.record_, nullptr);
  return *this;
}

Fiber::~Fiber() {
  if (record_ == nullptr) return;
  std::optional<detail::Unhurried> unhurried;
  if (!done()) {
    cancel();
    unhurried.emplace();
  }
  try {
    ATLAS_ASSERT(join(), "an unhurried join was cut short");
  } catch (...) {  // NOLINT(bugprone-empty-catch): who wants the exception joins
  }
}

Result<void> Fiber::join(Deadline deadline) {
  ATLAS_ASSERT(record_ != nullptr, "a fiber is joined once");
  if (record_->state != FiberState::finished) {
    Wait wait({"join", record_});
    record_->joiner = wait.waker();
    const auto outcome = wait.park(deadline);
    if (record_->state != FiberState::finished) return Unexpected(outcome.error());
  }
  FiberRecord& record = *std::exchange(record_, nullptr);
  const auto exception = std::exchange(record.exception, nullptr);
  record.scheduler.release(record);
  if (exception) std::rethrow_exception(exception);
  return {};
}

void Fiber::cancel() {
  if (record_ != nullptr) record_->request_cancellation();
}

bool Fiber::done() const noexcept { return record_ == nullptr || record_->state == FiberState::finished; }

Fiber spawn(std::string_view name, UniqueFunction body) {
  auto& scheduler = current_scheduler();
  auto& record = scheduler.create(name, std::move(body), scheduler.running());
  record.handle_attached = true;
  record.state = FiberState::ready;
  scheduler.enqueue(record);
  return Fiber(record);
}

FiberGroup::~FiberGroup() {
  if (size_ == 0) return;
  cancel();
  const detail::Unhurried unhurried;
  ATLAS_ASSERT(wait_until_empty({}), "an unhurried join was cut short");
}

void FiberGroup::spawn(std::string_view name, UniqueFunction body) {
  auto& scheduler = current_scheduler();
  add(scheduler.create(name, std::move(body), scheduler.running()));
}

void FiberGroup::spawn_apart(std::string_view name, UniqueFunction body) {
  add(current_scheduler().create(name, std::move(body), nullptr));
}

void FiberGroup::add(FiberRecord& record) {
  record.group = this;
  record.group_link.insert_before(members_);
  ++size_;
  record.cancel_requested = exception_ != nullptr;
  record.state = FiberState::ready;
  record.scheduler.enqueue(record);
}

void FiberGroup::cancel() {
  for (auto* link = members_.next; link != &members_; link = link->next) link->owner->request_cancellation();
}

Result<void> FiberGroup::join(Deadline deadline) {
  if (auto waited = wait_until_empty(deadline); !waited) return waited;
  if (auto exception = std::exchange(exception_, nullptr)) std::rethrow_exception(exception);
  return {};
}

Result<void> FiberGroup::wait_until_empty(Deadline deadline) {
  while (size_ > 0) {
    Wait wait({"join group", this});
    const Waker waker = wait.waker();
    detail::ListLink<const Waker> link(&waker);
    link.insert_before(joiners_);
    const auto outcome = wait.park(deadline);
    if (size_ > 0 && !outcome.woken()) return Unexpected(outcome.error());
  }
  return {};
}

void detail::left_group(FiberRecord& fiber) noexcept {
  FiberGroup& group = *fiber.group;
  fiber.group_link.unlink();
  --group.size_;
  if (auto exception = std::exchange(fiber.exception, nullptr)) {
    if (!group.exception_) group.exception_ = exception;
    group.cancel();
  }
  if (group.size_ > 0) return;
  for (auto* link = group.joiners_.next; link != &group.joiners_; link = link->next)
    link->owner->wake_queued();
}

CancellationShield::CancellationShield() { ++running_fiber().shield_depth; }
CancellationShield::~CancellationShield() { --running_fiber().shield_depth; }

DeadlineScope::DeadlineScope(Deadline deadline) {
  auto& fiber = running_fiber();
  outer_ = std::exchange(fiber.scope_deadline, earlier(deadline, fiber.scope_deadline));
}

DeadlineScope::~DeadlineScope() { running_fiber().scope_deadline = outer_; }

detail::LocalBindings& detail::bindings_of_running_fiber() noexcept { return running_fiber().locals; }

const detail::LocalBinding* detail::find_local(const void* key) noexcept {
  return this_fiber::exists() ? running_fiber().locals.find(key) : nullptr;
}

detail::Unhurried::Unhurried()
    : fiber_(running_fiber()), deadline_(std::exchange(fiber_.scope_deadline, Deadline())) {}
detail::Unhurried::~Unhurried() { fiber_.scope_deadline = deadline_; }

namespace this_fiber {

bool exists() noexcept { return Scheduler::current() != nullptr && Scheduler::current()->on_fiber(); }

void yield() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr && scheduler->on_fiber(), "this needs a fiber");
  auto& fiber = *scheduler->running();
  if (fiber.suspend_hook != nullptr) fiber.suspend_hook->before_suspend();
  scheduler->enqueue(fiber);
  scheduler->suspend(fiber);
}

Result<void> sleep_for(Duration duration) {
  const auto until = Deadline::after(duration);
  Wait wait({"sleep"});
  const auto outcome = wait.park(until);
  if (outcome.status == WaitStatus::cancelled) return Unexpected(outcome.error());
  const bool slept = until.when() <= running_fiber().scheduler.turn_time();
  return slept ? Result<void>() : Unexpected(outcome.error());
}

bool cancelled() noexcept { return running_fiber().cancelled(); }

std::string_view name() noexcept { return running_fiber().name(); }

std::uint64_t id() noexcept { return running_fiber().id; }

void set_detail(std::string_view detail) noexcept { running_fiber().set_detail(detail); }

}  // namespace this_fiber
}  // namespace atlas
