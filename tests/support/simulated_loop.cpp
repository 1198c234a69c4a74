#include "support/simulated_loop.hpp"

#include "support/simulated_world.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/resolver.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace atlas::testing {

SimulatedLoop::SimulatedLoop(SimulatedWorld& world, std::size_t number, UniqueFunction main,
                             SchedulerOptions options)
    : world_(world), number_(number), main_(std::move(main)), scheduler_(*this, with_own_order(options)) {
  body_ = [this] {
    main_fiber_ = FiberHandle::current();
    main_();
  };
  detail::post_main(scheduler_, body_, exception_);
}

SimulatedLoop::~SimulatedLoop() {
  ATLAS_ASSERT(exception_ == nullptr, "an exception left a simulated loop");
  ended_event_->set();
}

// Stacks are not trimmed: a timer that is always armed would hide that nobody can ever run again.
SchedulerOptions SimulatedLoop::with_own_order(SchedulerOptions options) noexcept {
  options.wake_order = this;
  options.switches_per_turn_max = world_.random().between(1, 4);
  options.trim_interval = Duration::zero();
  return options;
}

SimulatedLoop& SimulatedLoop::current() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr, "this needs a simulated loop");
  return static_cast<SimulatedLoop&>(scheduler->driver());
}

void SimulatedLoop::plan(TimePoint when, UniqueFunction what) { planned_.emplace(when, std::move(what)); }

bool SimulatedLoop::able() noexcept {
  if (interrupted_ || scheduler_.has_ready_fibers()) return true;
  const auto next = next_event();
  return next && *next <= now();
}

std::optional<TimePoint> SimulatedLoop::next_event() noexcept {
  auto next = scheduler_.timers().next_event();
  if (!planned_.empty()) next = std::min(next.value_or(TimePoint::max()), planned_.begin()->first);
  return next;
}

void SimulatedLoop::turn() {
  interrupted_ = false;
  scheduler_.turn(false);
}

TimePoint SimulatedLoop::now() noexcept { return world_.now(); }

World& SimulatedLoop::world() noexcept { return world_; }

std::size_t SimulatedLoop::next(std::size_t ready) noexcept { return world_.random().below(ready); }

// Not always all that has come: what else happens on the loop may get in between.
void SimulatedLoop::poll(std::optional<TimePoint>) {
  for (auto left = world_.random().between(1, 8); left > 0; --left) {
    if (planned_.empty() || planned_.begin()->first > now()) return;
    auto due = planned_.extract(planned_.begin());
    due.mapped()();
  }
}

void SimulatedLoop::cancel_main() { main_fiber_.cancel(); }

std::string SimulatedLoop::describe() const {
  std::string text;
  for (const auto& fiber : scheduler_.fibers(20)) {
    text += fmt::format("{}{} waits for '{}'", text.empty() ? "" : ", ", fiber.name, fiber.waits_for);
  }
  return text;
}

}  // namespace atlas::testing
