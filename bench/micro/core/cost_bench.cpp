// What it costs to count what a fiber costs: the two clocks, and a yield with a meter at work. Compare with
// `fiber_yield`, which has none.
#include <atlas/core/cost.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/manual_driver.hpp"

#include <benchmark/benchmark.h>

#include <chrono>

namespace atlas {
namespace {

/// With the clocks of a real loop.
class ClockDriver final : public testing::ManualDriver {
 public:
  [[nodiscard]] TimePoint now() noexcept override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] Duration processor_time() noexcept override { return Driver::processor_time(); }
};

void read_processor_time(benchmark::State& state) {
  ClockDriver driver;
  for (auto _ : state) benchmark::DoNotOptimize(driver.processor_time());
}
BENCHMARK(read_processor_time);

void read_monotonic_clock(benchmark::State& state) {
  ClockDriver driver;
  for (auto _ : state) benchmark::DoNotOptimize(driver.now());
}
BENCHMARK(read_monotonic_clock);

void run_as_fiber(UniqueFunction body) {
  ClockDriver driver;
  Scheduler scheduler(driver);
  scheduler.start("benchmark", std::move(body));
  while (scheduler.has_ready_fibers()) scheduler.turn(false);
}

void counted_fiber_yield(benchmark::State& state) {
  run_as_fiber([&] {
    CostMeter meter;
    meter.begin();
    for (auto _ : state) this_fiber::yield();
  });
}
BENCHMARK(counted_fiber_yield);

/// What each request pays that never suspends.
void cost_meter_begin_and_end(benchmark::State& state) {
  run_as_fiber([&] {
    CostMeter meter;
    for (auto _ : state) {
      meter.begin();
      benchmark::DoNotOptimize(meter.end());
    }
  });
}
BENCHMARK(cost_meter_begin_and_end);

}  // namespace
}  // namespace atlas
