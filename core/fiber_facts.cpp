#include <atlas/core/fiber_facts.hpp>

#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>

#include <algorithm>
#include <array>

namespace atlas {
namespace {

using detail::FiberRecord;
using detail::FiberState;

FiberActivity activity_of(const FiberRecord& fiber, const FiberRecord* running) noexcept {
  if (&fiber == running) return FiberActivity::running;
  switch (fiber.state) {
    case FiberState::parked: return FiberActivity::suspended;
    case FiberState::finished: return FiberActivity::ended;
    case FiberState::free:
    case FiberState::ready: break;
  }
  return FiberActivity::ready;
}

std::optional<Duration> deadline_left(const FiberRecord& fiber, TimePoint now) noexcept {
  if (fiber.deadline_timer.armed()) return fiber.deadline_timer.expiry() - now;
  if (fiber.scope_deadline.is_never()) return std::nullopt;
  return fiber.scope_deadline.when() - now;
}

std::size_t stack_bytes_used(const FiberRecord& fiber, const FiberRecord* running) noexcept {
  if (!fiber.context) return 0;
  const void* here = &fiber == running ? __builtin_frame_address(0) : fiber.context->left_at();
  return static_cast<std::size_t>(fiber.context->memory().top - static_cast<const std::byte*>(here));
}

FiberFacts facts_of(const FiberRecord& fiber, const FiberRecord* running, TimePoint now) {
  FiberFacts facts{.id = fiber.id,
                   .name = std::string(fiber.name()),
                   .activity = activity_of(fiber, running),
                   .age = std::max(now - fiber.started_at, Duration::zero()),
                   .deadline_left = deadline_left(fiber, now),
                   .detail = std::string(fiber.detail),
                   .stack_bytes_used = stack_bytes_used(fiber, running)};
  if (fiber.context) facts.stack_bytes = fiber.context->memory().bytes();
  if (facts.activity == FiberActivity::suspended) {
    facts.suspended_for = std::max(now - fiber.suspended_at, Duration::zero());
    facts.waits_for = fiber.reason.text;
    facts.waits_on = fiber.reason.object;
  }
  return facts;
}

}  // namespace

std::string_view to_string(FiberActivity activity) noexcept {
  constexpr std::array<std::string_view, 4> names{"ready", "running", "suspended", "ended"};
  return names.at(static_cast<std::size_t>(activity));
}

std::vector<FiberFacts> Scheduler::fibers(std::size_t count_max) const {
  std::vector<FiberFacts> facts;
  facts.reserve(std::min(count_max, alive_));
  const TimePoint now = driver_.now();
  for (const auto& record : records_) {
    if (facts.size() == count_max) break;
    if (record.state != FiberState::free) facts.push_back(facts_of(record, running(), now));
  }
  return facts;
}

}  // namespace atlas
