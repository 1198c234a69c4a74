#include <atlas/core/virtual_turns.hpp>

#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/fiber_record.hpp>

#include <fmt/format.h>

#include <exception>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace atlas {
namespace {

// Far above what any test needs: more means that fibers wake one another for ever.
constexpr std::size_t turns_max = 10'000'000;
constexpr std::size_t fibers_named_max = 16;

}  // namespace

bool VirtualTurns::busy() {
  if (clock_.take_interrupt() || scheduler().has_ready_fibers() || system_at_work()) return true;
  const auto next = scheduler().timers().next_event();
  return next && *next <= now();
}

void VirtualTurns::turn(std::size_t turns_before) {
  if (turns_before == turns_max) throw std::runtime_error("the loop never becomes idle: " + who_waits());
  scheduler().turn(true);
}

void VirtualTurns::run_until_idle() {
  for (std::size_t turns = 0; busy(); ++turns) turn(turns);
}

bool VirtualTurns::jump_to_next_timer(TimePoint limit) {
  const auto next = scheduler().timers().next_event();
  if (!next || *next > limit) return false;
  clock_.advance_to(*next);
  return true;
}

bool VirtualTurns::step_in_time() {
  if (!jump_to_next_timer(TimePoint::max())) return false;
  run_until_idle();
  return true;
}

void VirtualTurns::advance(Duration duration) {
  const TimePoint until = now() + duration;
  run_until_idle();
  while (jump_to_next_timer(until)) run_until_idle();
  clock_.advance_to(until);
  run_until_idle();
}

bool VirtualTurns::run_until(const bool& done) {
  run_until_idle();
  for (std::size_t jumps = 0; !done && jumps < jumps_max_ && step_in_time(); ++jumps) {
  }
  return done;
}

void VirtualTurns::run(UniqueFunction body) {
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
  auto& fiber = scheduler().create("test", run_body, nullptr);
  scheduler().wake(fiber, true);
  if (!run_until(done)) {
    const std::string wait = fiber.reason.text;
    fiber.request_cancellation();
    static_cast<void>(run_until(done));
    throw std::runtime_error("deadlock: the fiber of the test waits for '" + wait +
                             "' and nothing will come");
  }
  if (exception) std::rethrow_exception(exception);
}

std::string VirtualTurns::who_waits() {
  std::string text;
  for (const auto& fiber : scheduler().fibers(fibers_named_max)) {
    fmt::format_to(std::back_inserter(text), "{}'{}' waits for '{}'", text.empty() ? "" : ", ", fiber.name,
                   fiber.waits_for);
  }
  return text.empty() ? "there is no fiber" : text;
}

}  // namespace atlas
