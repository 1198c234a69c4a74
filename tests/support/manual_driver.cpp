#include "support/manual_driver.hpp"

#include <atlas/core/fiber_record.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace atlas::testing {
namespace {

// Far above what any test needs: more means that fibers wake one another for ever.
constexpr std::size_t turns_max = 10'000'000;
// As above, for timers that are armed again whenever they fire.
constexpr std::size_t jumps_max = 100'000;

}  // namespace

void ManualDriver::advance_to(TimePoint when) noexcept { now_ = std::max(now_, when); }

TestLoop::TestLoop(const SchedulerOptions& options) : scheduler_(driver_, options) {}

bool TestLoop::busy() {
  if (driver_.take_interrupt() || scheduler_.has_ready_fibers()) return true;
  const auto next = scheduler_.timers().next_event();
  return next && *next <= now();
}

void TestLoop::run_until_idle() {
  for (std::size_t turns = 0; busy(); ++turns) {
    if (turns == turns_max) throw std::runtime_error("the loop never becomes idle");
    scheduler_.turn(false);
  }
}

bool TestLoop::jump_to_next_timer(TimePoint limit) {
  const auto next = scheduler_.timers().next_event();
  if (!next || *next > limit) return false;
  driver_.advance_to(*next);
  return true;
}

void TestLoop::advance(Duration duration) {
  const TimePoint until = now() + duration;
  run_until_idle();
  while (jump_to_next_timer(until)) run_until_idle();
  driver_.advance_to(until);
  run_until_idle();
}

void TestLoop::run(UniqueFunction body) {
  bool done = false;
  std::exception_ptr exception;
  const auto run_body = [&] {
    try {
      body();
    } catch (...) {
      exception = std::current_exception();
    }
    body.reset();
    done = true;
  };
  auto& fiber = scheduler_.create("test", run_body, nullptr);
  scheduler_.wake(fiber, true);
  run_until(done);
  if (!done) {
    const std::string wait = fiber.reason.text;
    fiber.request_cancellation();
    run_until(done);
    throw std::runtime_error("deadlock: the fiber of the test waits for '" + wait +
                             "' and nothing will come");
  }
  if (exception) std::rethrow_exception(exception);
}

void TestLoop::run_until(const bool& done) {
  run_until_idle();
  for (std::size_t jumps = 0; !done && jumps < jumps_max && jump_to_next_timer(TimePoint::max()); ++jumps) {
    run_until_idle();
  }
}

}  // namespace atlas::testing
