// One loop of a simulated world. Internal to the simulation.
#pragma once

#include "support/random.hpp"

#include <atlas/core/driver.hpp>
#include <atlas/core/event.hpp>
#include <atlas/core/loop_handle.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/unique_function.hpp>

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace atlas::testing {

class SimulatedWorld;

class SimulatedLoop final : public Driver, private WakeOrder {
 public:
  SimulatedLoop(SimulatedWorld& world, std::size_t number, UniqueFunction main, SchedulerOptions options);
  ~SimulatedLoop() override;
  SimulatedLoop(const SimulatedLoop&) = delete;
  SimulatedLoop& operator=(const SimulatedLoop&) = delete;

  /// Of the loop that runs the caller.
  [[nodiscard]] static SimulatedLoop& current();

  /// Has `what` run on this loop's stack, as a callback of libuv's does, once `when` has come. Things of one
  /// time happen in the order of their planning.
  void plan(TimePoint when, UniqueFunction what);

  /// Once round.
  void turn();

  /// Counted from 0 in the order of their start.
  [[nodiscard]] std::size_t number() const noexcept { return number_; }
  [[nodiscard]] Scheduler& scheduler() noexcept { return scheduler_; }
  [[nodiscard]] bool able() noexcept;
  /// When it will be able to run if nothing new happens; none: never.
  [[nodiscard]] std::optional<TimePoint> next_event() noexcept;
  [[nodiscard]] bool ended() const noexcept { return scheduler_.stopped(); }
  void cancel_main();
  /// "main waits for 'join', …" of its fibers.
  [[nodiscard]] std::string describe() const;
  /// Set once the loop is gone.
  [[nodiscard]] std::shared_ptr<Event> ended_event() const noexcept { return ended_event_; }

  [[nodiscard]] TimePoint now() noexcept override;
  [[nodiscard]] TimePoint turn_time() noexcept override { return now(); }
  void poll(std::optional<TimePoint> until) override;
  void interrupt() noexcept override { interrupted_ = true; }
  [[nodiscard]] World& world() noexcept override;

 private:
  [[nodiscard]] std::size_t next(std::size_t ready) noexcept override;
  [[nodiscard]] SchedulerOptions with_own_order(SchedulerOptions options) noexcept;

  SimulatedWorld& world_;
  const std::size_t number_;
  std::shared_ptr<Event> ended_event_ = std::make_shared<Event>();
  std::multimap<TimePoint, UniqueFunction> planned_;  // those of one time in the order of insertion
  bool interrupted_ = false;
  UniqueFunction main_;
  UniqueFunction body_;  // main_, and which fiber that is
  FiberHandle main_fiber_;
  std::exception_ptr exception_;
  Scheduler scheduler_;
};

}  // namespace atlas::testing
