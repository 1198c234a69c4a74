// What fibers cost: a switch, a life, a timer, a message to the loop. The figure to compare a switch with
// is `bare_context_switch`, a boost::context::fiber there and back in the same binary.
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/inbox.hpp>
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/timer_wheel.hpp>
#include "support/manual_driver.hpp"

#include <benchmark/benchmark.h>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::ManualDriver;
using testing::TestLoop;

void bare_context_switch(benchmark::State& state) {
  boost::context::fiber fiber([](boost::context::fiber&& outside) {
    while (true) outside = std::move(outside).resume();
    return std::move(outside);
  });
  for (auto _ : state) fiber = std::move(fiber).resume();
}
BENCHMARK(bare_context_switch);

/// The same over many, each on a stack of its own.
void bare_context_switch_among(benchmark::State& state) {
  std::vector<boost::context::fiber> fibers;
  for (int i = 0; i < state.range(0); ++i) {
    fibers.emplace_back(std::allocator_arg,
                        boost::context::protected_fixedsize_stack(std::size_t{256} * 1024),
                        [](boost::context::fiber&& outside) {
                          while (true) outside = std::move(outside).resume();
                          return std::move(outside);
                        });
  }
  for (auto _ : state) {
    for (auto& fiber : fibers) fiber = std::move(fiber).resume();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(bare_context_switch_among)->Arg(64)->Arg(1'000)->Arg(10'000);

/// From the run queue to a fiber and back to the loop: the switch that every wait is made of, inline as it is
/// there, and as the bare one is here.
void fiber_switch(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    auto& scheduler = loop.scheduler();
    auto& fiber = *scheduler.running();
    for (auto _ : state) {
      scheduler.enqueue(fiber);
      scheduler.suspend(fiber);
    }
  });
}
BENCHMARK(fiber_switch);

/// The same as an application asks for it. The call's return is never predicted, since the processor has seen
/// another call last.
void fiber_yield(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    for (auto _ : state) this_fiber::yield();
  });
}
BENCHMARK(fiber_yield);

/// The same over many fibers, whose stacks are cold.
void fiber_yield_among(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    bool stop = false;
    FiberGroup group;
    for (int i = 1; i < state.range(0); ++i) {
      group.spawn("other", [&] {
        while (!stop) this_fiber::yield();
      });
    }
    for (auto _ : state) this_fiber::yield();
    stop = true;
    group.join().value();
  });
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(fiber_yield_among)->Arg(64)->Arg(1'000)->Arg(10'000);

/// A wait that another fiber ends: what a channel or a mutex costs when it has to wait.
void wait_and_wake(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    Waker waiting;
    bool stop = false;
    auto waiter = spawn("waiter", [&] {
      while (!stop) {
        Wait wait({"benchmark"});
        waiting = wait.waker();
        static_cast<void>(wait.park());
      }
    });
    this_fiber::yield();
    for (auto _ : state) {
      waiting.wake();
      this_fiber::yield();
    }
    stop = true;
    waiting.wake();
    waiter.join().value();
  });
}
BENCHMARK(wait_and_wake);

/// As a libuv callback does it: the fiber runs within `wake`.
void wake_from_the_loop(benchmark::State& state) {
  TestLoop loop;
  Waker waiting;
  bool stop = false;
  loop.start("waiter", [&] {
    while (!stop) {
      Wait wait({"benchmark"});
      waiting = wait.waker();
      static_cast<void>(wait.park());
    }
  });
  loop.run_until_idle();
  loop.scheduler().inbox()->post([&] {
    for (auto _ : state) waiting.wake();
    stop = true;
    waiting.wake();
  });
  loop.run_until_idle();
}
BENCHMARK(wake_from_the_loop);

void spawn_and_join(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    for (auto _ : state) spawn("child", [] {}).join().value();
  });
}
BENCHMARK(spawn_and_join);

void arm_and_disarm_timer(benchmark::State& state) {
  TimerWheel wheel(TimePoint(1h));
  Timer timer([](void*) {}, nullptr);
  TimePoint when(1h + 30s);
  for (auto _ : state) {
    timer.arm(wheel, when);
    timer.disarm();
    when += 100us;
  }
}
BENCHMARK(arm_and_disarm_timer);

void arm_and_fire_timer(benchmark::State& state) {
  TimePoint now(1h);
  TimerWheel wheel(now);
  Timer timer([](void*) {}, nullptr);
  for (auto _ : state) {
    now += 30s;
    timer.arm(wheel, now);
    wheel.advance(now);
  }
}
BENCHMARK(arm_and_fire_timer);

void post_and_drain(benchmark::State& state) {
  ManualDriver driver;
  Inbox inbox(driver);
  int runs = 0;
  for (auto _ : state) {
    for (int i = 0; i < state.range(0); ++i) inbox.post([&runs] { ++runs; });
    inbox.drain();
  }
  benchmark::DoNotOptimize(runs);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(post_and_drain)->Arg(1)->Arg(100);

/// A request and its answer over a stream in memory, with a fiber between: the floor of what the
/// benchmarks of whole requests measure.
void echo_over_memory_stream(benchmark::State& state) {
  TestLoop loop;
  auto [stream, peer] = testing::make_memory_stream(loop.scheduler());
  loop.start("echo", [&stream = stream] {
    while (true) {
      Chunk chunk = stream->read_chunk().value();
      if (chunk.empty()) return;
      stream->write({chunk.bytes().data(), chunk.bytes().size()}).value();
    }
  });
  for (auto _ : state) {
    peer.send("GET / HTTP/1.1\r\n\r\n");
    loop.run_until_idle();
    benchmark::DoNotOptimize(peer.received().data());
    peer.discard_received();
  }
  peer.close();
  loop.run_until_idle();
}
BENCHMARK(echo_over_memory_stream);

}  // namespace
}  // namespace atlas
