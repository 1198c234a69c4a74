// Starts fibers that all sleep on one loop, and prints what each costs in memory: the process's own, and the
// kernel's tables of its pages.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>

#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

struct Memory {
  std::int64_t resident_bytes = 0;
  std::int64_t page_table_bytes = 0;

  static Memory now() {
    Memory memory;
    std::ifstream status("/proc/self/status");
    for (std::string field; status >> field;) {
      std::int64_t kib = 0;
      if (field == "VmRSS:" && status >> kib) memory.resident_bytes = kib * 1024;
      if (field == "VmPTE:" && status >> kib) memory.page_table_bytes = kib * 1024;
    }
    return memory;
  }
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void print_memory(std::int64_t count, const Memory& before, const Memory& after) {
  const auto resident = after.resident_bytes - before.resident_bytes;
  const auto tables = after.page_table_bytes - before.page_table_bytes;
  fmt::print("{} fibers asleep: {:.2f} GiB, {} bytes each; with page tables {:.2f} GiB, {} bytes each\n",
             count, static_cast<double>(resident) / (1U << 30U), resident / count,
             static_cast<double>(resident + tables) / (1U << 30U), (resident + tables) / count);
}

void run(std::int64_t count) {
  const auto before = Memory::now();
  auto begin = Clock::now();
  atlas::FiberGroup fibers;
  for (std::int64_t i = 0; i < count; ++i) {
    fibers.spawn("sleeper", [] { static_cast<void>(atlas::this_fiber::sleep_for(std::chrono::hours(1))); });
  }
  atlas::this_fiber::yield();  // every one of them has gone to sleep
  fmt::print("started in {:.2f} s\n", seconds_since(begin));
  print_memory(count, before, Memory::now());
  begin = Clock::now();
  fibers.cancel();
  static_cast<void>(fibers.join());
  fmt::print("cancelled and joined in {:.2f} s\n", seconds_since(begin));
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t count = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  if (count <= 0) {
    fmt::print(stderr, "usage: sleeping_fibers [count]\n");
    return 2;
  }
  const auto begin = Clock::now();
  atlas::run_event_loop([count] { run(count); });
  fmt::print("all in {:.2f} s\n", seconds_since(begin));
}
