// Live facts of a server: counted by each worker for itself, read from anywhere.
#pragma once

#include <atlas/core/loop_handle.hpp>
#include <atlas/core/time.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace atlas::asgi {

/// Written by one thread, read by any.
class Counter {
 public:
  void increment() noexcept { set(get() + 1); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// One worker's. On cache lines of its own: no worker slows another one down by counting.
struct alignas(128) WorkerCounters {
  Counter requests;
  Counter connections_accepted;
  Counter connections_refused;
  Counter connections_open;
  Counter connections_ended;  // or never begun, of those handed to the worker
  Counter fibers_alive;
  Counter application_failures;
};

/// From any thread; each number is exact, but they are not of one instant.
class ServerStatus {
 public:
  struct Totals {
    std::size_t workers = 0;
    std::uint64_t requests = 0;              ///< Since the start.
    std::uint64_t connections_accepted = 0;  ///< Since the start.
    std::uint64_t connections_refused = 0;   ///< With 503, by a limit, since the start.
    std::uint64_t connections_open = 0;
    std::uint64_t fibers_alive = 0;
    std::uint64_t application_failures = 0;  ///< Since the start.
    std::uint64_t stalls = 0;                ///< Of workers' loops, since the start.
    Duration uptime{};
  };

  explicit ServerStatus(std::size_t workers) : loops_(workers), workers_(workers) {}

  [[nodiscard]] Totals totals() const noexcept;
  [[nodiscard]] WorkerCounters& worker(std::size_t index) noexcept { return workers_[index]; }
  [[nodiscard]] std::size_t workers() const noexcept { return workers_.size(); }
  /// Written by who watches the workers.
  [[nodiscard]] Counter& stalls() noexcept { return stalls_; }

  /// A worker's loop, to start fibers on (run_on); of no loop before that worker has started. `worker` is
  /// from 0 to Totals::workers.
  [[nodiscard]] LoopHandle loop(std::size_t worker) const;
  void set_loop(std::size_t worker, LoopHandle loop);

 private:
  mutable std::mutex mutex_;
  std::vector<LoopHandle> loops_;
  std::vector<WorkerCounters> workers_;
  Counter stalls_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace atlas::asgi
