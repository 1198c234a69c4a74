// What boost::fibers cost, to set beside fiber_bench.cpp and sync_bench.cpp: the same acts, round-robin on
// one thread.
#include <benchmark/benchmark.h>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/fiber/all.hpp>

#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

namespace fibers = boost::fibers;

/// Keeps a second thread for as long as it lives: the C library leaves atomics out while there is one alone.
class SecondThread {
 public:
  ~SecondThread() {
    done_.count_down();
    thread_.join();
  }

 private:
  std::latch done_{1};
  std::thread thread_{[this] { done_.wait(); }};
};

/// Nobody else is ready: from the fiber to the scheduler and back, as fiber_yield.
void boost_fiber_yield_alone(benchmark::State& state) {
  for (auto _ : state) boost::this_fiber::yield();
}
BENCHMARK(boost_fiber_yield_alone);

/// Over many fibers, as fiber_yield_among; two are there and back.
void boost_fiber_yield_among(benchmark::State& state) {
  bool stop = false;
  std::vector<fibers::fiber> others;
  for (int i = 1; i < state.range(0); ++i) {
    others.emplace_back([&] {
      while (!stop) boost::this_fiber::yield();
    });
  }
  for (auto _ : state) boost::this_fiber::yield();
  stop = true;
  for (auto& other : others) other.join();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(boost_fiber_yield_among)->Arg(2)->Arg(64)->Arg(1'000)->Arg(10'000);

void boost_fiber_spawn_and_join(benchmark::State& state) {
  boost::context::pooled_fixedsize_stack stacks(std::size_t{64} * 1024);
  for (auto _ : state) {
    fibers::fiber(fibers::launch::post, std::allocator_arg, stacks, [] {}).join();
  }
}
BENCHMARK(boost_fiber_spawn_and_join);

/// Nobody else wants it.
void boost_fiber_mutex_lock_unlock(benchmark::State& state) {
  const SecondThread second;
  fibers::mutex mutex;
  for (auto _ : state) {
    const std::lock_guard lock(mutex);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(boost_fiber_mutex_lock_unlock);

/// One value sent by a fiber and received by another; the argument is the capacity, a power of two (of which
/// boost keeps one place free).
void boost_fiber_channel_send_receive(benchmark::State& state) {
  const SecondThread second;
  fibers::buffered_channel<int> channel(static_cast<std::size_t>(state.range(0)));
  fibers::fiber sender([&] {
    for (int i = 0; channel.push(i) == fibers::channel_op_status::success; ++i) continue;
  });
  for (auto _ : state) benchmark::DoNotOptimize(channel.value_pop());
  channel.close();
  sender.join();
}
BENCHMARK(boost_fiber_channel_send_receive)->Arg(2)->Arg(16)->Arg(256);

}  // namespace
