// What State Threads cost, to set beside fiber_bench.cpp: a C library of the same idea, for one system
// thread.
#include <benchmark/benchmark.h>
#include <st.h>

namespace {

bool ready() {
  static const bool initialised = st_init() == 0;
  return initialised;
}

/// Two threads wake one another, there and back, as wait_and_wake does. The library has no yield: st_sleep(0)
/// asks the system for events first.
struct HandOver {
  st_cond_t here = st_cond_new();
  st_cond_t there = st_cond_new();
  bool stop = false;
};

void* answer_all(void* shared) {
  auto& hand_over = *static_cast<HandOver*>(shared);
  while (!hand_over.stop) {
    st_cond_signal(hand_over.here);
    st_cond_wait(hand_over.there);
  }
  return nullptr;
}

void state_threads_wait_and_wake(benchmark::State& state) {
  if (!ready()) return state.SkipWithError("st_init fails");
  HandOver hand_over;
  auto* const other = st_thread_create(answer_all, &hand_over, 1, 0);
  st_cond_wait(hand_over.here);
  for (auto _ : state) {
    st_cond_signal(hand_over.there);
    st_cond_wait(hand_over.here);
  }
  hand_over.stop = true;
  st_cond_signal(hand_over.there);
  st_thread_join(other, nullptr);
  st_cond_destroy(hand_over.here);
  st_cond_destroy(hand_over.there);
}
BENCHMARK(state_threads_wait_and_wake);

/// The library keeps the stacks of threads that have ended.
void state_threads_spawn_and_join(benchmark::State& state) {
  if (!ready()) return state.SkipWithError("st_init fails");
  const auto run = [](void*) -> void* { return nullptr; };
  for (auto _ : state) st_thread_join(st_thread_create(run, nullptr, 1, 0), nullptr);
}
BENCHMARK(state_threads_spawn_and_join);

}  // namespace
