// What synchronisation costs: a lock nobody else wants, a value from fiber to fiber, a lock that is fought
// for. `local` is for one thread, `shared` the same for any; compare with wait_and_wake in fiber_bench.cpp.
#include <atlas/core/channel.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/mutex.hpp>
#include <atlas/core/select.hpp>
#include <atlas/core/semaphore.hpp>
#include "support/manual_driver.hpp"

#include <benchmark/benchmark.h>

#include <latch>
#include <mutex>
#include <thread>

namespace atlas {
namespace {

using testing::TestLoop;

/// In a process of several threads, as servers are: the C library leaves the atomics out while there is one.
void std_mutex_lock_unlock(benchmark::State& state) {
  std::latch done(1);
  std::thread other([&] { done.wait(); });
  std::mutex mutex;
  for (auto _ : state) {
    const std::lock_guard lock(mutex);
    benchmark::ClobberMemory();
  }
  done.count_down();
  other.join();
}
BENCHMARK(std_mutex_lock_unlock);

/// Nobody else wants it.
template <class Kind>
void mutex_lock_unlock(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    Kind mutex;
    for (auto _ : state) {
      const auto lock = mutex.lock().value();
      benchmark::ClobberMemory();
    }
  });
}
BENCHMARK(mutex_lock_unlock<local::Mutex>)->Name("local_mutex_lock_unlock");
BENCHMARK(mutex_lock_unlock<Mutex>)->Name("shared_mutex_lock_unlock");

/// Two fibers hand it to one another: a switch each time.
template <class Kind>
void mutex_hand_over(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    Kind mutex;
    bool stop = false;
    const auto other = spawn("other", [&] {
      while (!stop) {
        const auto lock = mutex.lock().value();
        this_fiber::yield();
      }
    });
    for (auto _ : state) {
      const auto lock = mutex.lock().value();
      this_fiber::yield();
    }
    stop = true;
  });
}
BENCHMARK(mutex_hand_over<local::Mutex>)->Name("local_mutex_hand_over");
BENCHMARK(mutex_hand_over<Mutex>)->Name("shared_mutex_hand_over");

template <class Kind>
void semaphore_acquire_release(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    Kind semaphore(1);
    for (auto _ : state) {
      semaphore.acquire().value();
      semaphore.release();
    }
  });
}
BENCHMARK(semaphore_acquire_release<local::Semaphore>)->Name("local_semaphore_acquire_release");
BENCHMARK(semaphore_acquire_release<Semaphore>)->Name("shared_semaphore_acquire_release");

/// One value sent by a fiber and received by another; the argument is the channel's capacity.
template <class Kind>
void channel_send_receive(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    Kind channel(static_cast<std::size_t>(state.range(0)));
    const auto sender = spawn("sender", [&] {
      for (int i = 0; channel.send(i); ++i) continue;
    });
    for (auto _ : state) benchmark::DoNotOptimize(channel.receive().value());
    channel.close();
  });
}
BENCHMARK(channel_send_receive<local::Channel<int>>)
    ->Name("local_channel_send_receive")
    ->Arg(0)
    ->Arg(1)
    ->Arg(16)
    ->Arg(256);
BENCHMARK(channel_send_receive<Channel<int>>)
    ->Name("shared_channel_send_receive")
    ->Arg(0)
    ->Arg(1)
    ->Arg(16)
    ->Arg(256);

/// The same by way of a select over two channels.
template <class Kind>
void select_of_two(benchmark::State& state) {
  TestLoop loop;
  loop.run([&] {
    Kind busy(16);
    Kind quiet(16);
    const auto sender = spawn("sender", [&] {
      for (int i = 0; busy.send(i); ++i) continue;
    });
    const auto take = [](std::optional<int> value) { benchmark::DoNotOptimize(value); };
    for (auto _ : state) select(on_receive(quiet, take), on_receive(busy, take)).value();
    busy.close();
  });
}
BENCHMARK(select_of_two<local::Channel<int>>)->Name("local_select_of_two");
BENCHMARK(select_of_two<Channel<int>>)->Name("shared_select_of_two");

}  // namespace
}  // namespace atlas
