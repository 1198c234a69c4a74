// The fibers of one thread: who runs, who waits, and when the loop is asked for news.
// Users meet it through fiber.hpp; those who embed Atlas create one per thread, on a driver.
#pragma once

#include <atlas/core/chunk.hpp>
#include <atlas/core/driver.hpp>
#include <atlas/core/inbox.hpp>
#include <atlas/core/stack_marks.hpp>
#include <atlas/core/stack_pool.hpp>
#include <atlas/core/timer_wheel.hpp>
#include <atlas/core/unique_function.hpp>
#include <atlas/core/wait.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

namespace atlas {

class FiberGroup;
struct FiberFacts;
struct StackMark;

namespace detail {
struct FiberRecord;
}

class OffloadPool;

namespace log {
class Sink;
}

class Resolver;

/// Chooses who runs next, instead of who has waited longest: for tests of what may happen in any order.
class WakeOrder {
 public:
  /// The place of one of `ready` fibers, of which there is at least one, in the order of their wake-ups.
  [[nodiscard]] virtual std::size_t next(std::size_t ready) noexcept = 0;

 protected:
  ~WakeOrder() = default;
};

struct SchedulerOptions {
  std::size_t stack_bytes = std::size_t{256} * 1024;  ///< Per fiber; reserved, committed as touched.
  std::size_t switches_per_turn_max = 256;            ///< Fibers run from the queue before I/O is looked at.
  std::size_t read_chunk_bytes = std::size_t{32} * 1024;  ///< Read buffers, shared by all connections.
  Duration trim_interval =
      std::chrono::seconds(5);      ///< How often unused stack memory is given back; zero: never.
  WakeOrder* wake_order = nullptr;  ///< Outlives the scheduler. Null: first come, first served.
};

/// Single-threaded but for `inbox()` and `pulse()`. Lives on the thread that runs it.
class Scheduler {
 public:
  explicit Scheduler(Driver& driver, SchedulerOptions options = {});
  /// Every fiber must have ended.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// The scheduler that runs this thread's fibers; null outside of `run` and `turn`.
  [[nodiscard]] static Scheduler* current() noexcept { return current_; }

  /// Runs until `stop` is called and nothing is left in the run queue.
  void run();
  /// Once round: what was posted, due timers, a batch of fibers, then the driver, which waits only when
  /// `may_wait` and no fiber is ready.
  void turn(bool may_wait);
  /// For a driver, from a callback of its `poll`, when it has reported much and may have more to report: as
  /// `turn`, but for the polling. It may destroy what was reported.
  void interlude();
  void stop() noexcept { stopping_ = true; }
  /// Whether `run` would return: for who turns it.
  [[nodiscard]] bool stopped() const noexcept { return stopping_ && queue_first_ == nullptr; }

  /// Puts a new fiber that nobody joins into the run queue; an exception that leaves `body` aborts the
  /// process.
  void start(std::string_view name, UniqueFunction body);

  [[nodiscard]] Driver& driver() noexcept { return driver_; }
  [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
  [[nodiscard]] ChunkPool& chunks() noexcept { return chunks_; }
  [[nodiscard]] TimePoint turn_time() noexcept { return driver_.turn_time(); }
  /// Safe to keep and to use from any thread.
  [[nodiscard]] const std::shared_ptr<Inbox>& inbox() noexcept { return inbox_; }

  /// Whether the caller is on a fiber (and may suspend) rather than on the loop's stack.
  [[nodiscard]] bool on_fiber() const noexcept { return running() != nullptr; }
  [[nodiscard]] detail::FiberRecord* running() const noexcept {
    return running_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t fibers_alive() const noexcept { return alive_; }
  [[nodiscard]] std::uint64_t fibers_started() const noexcept { return started_; }
  /// Whether a fiber is in the run queue.
  [[nodiscard]] bool has_ready_fibers() const noexcept { return queue_first_ != nullptr; }
  /// What its fibers are doing: of up to `count_max` of them. On the scheduler's own thread, on a fiber or
  /// not.
  [[nodiscard]] std::vector<FiberFacts> fibers(std::size_t count_max) const;
  /// How deep the fibers of each name have used their stacks, as far as was looked: see StackMark. On the
  /// scheduler's own thread.
  [[nodiscard]] std::vector<StackMark> stack_marks();

  /// What another thread can see of the loop.
  struct Pulse {
    std::uint64_t beat = 0;  ///< Changes with every turn.
    bool busy = false;       ///< Not waiting for something to happen.
  };
  /// From any thread, while the scheduler lives.
  [[nodiscard]] Pulse pulse() const noexcept {
    const auto beat = beat_.load(std::memory_order_relaxed);
    return {beat, beat % 2 == 0 || running() != nullptr};
  }

  /// Slabs of stacks mapped at present.
  [[nodiscard]] std::size_t stack_slabs() const noexcept { return stacks_.slab_count(); }

  /// Where `log::…` of this thread goes; null: straight to stderr.
  [[nodiscard]] log::Sink* log_sink() const noexcept { return log_sink_; }
  void set_log_sink(log::Sink* sink) noexcept { log_sink_ = sink; }
  /// Where `offload` of this thread's fibers goes; null: to the process's pool.
  [[nodiscard]] OffloadPool* offload_pool() const noexcept { return offload_pool_; }
  /// `pool` must outlive the fibers that use it.
  void set_offload_pool(OffloadPool* pool) noexcept { offload_pool_ = pool; }
  /// The worker's number in logs; -1 for none.
  [[nodiscard]] int worker_index() const noexcept { return worker_index_; }
  void set_worker_index(int index) noexcept { worker_index_ = index; }
  /// The fibers that other threads start here, by way of LoopHandle; null: refused.
  [[nodiscard]] FiberGroup* guests() const noexcept { return guests_; }
  void set_guests(FiberGroup* guests) noexcept { guests_ = guests; }

  /// What looks names up for this thread's fibers; made with its default options at the first call.
  [[nodiscard]] Resolver& resolver();
  /// Replaces it. No fiber may be waiting for the one before.
  void set_resolver(std::unique_ptr<Resolver> resolver) noexcept;

  // For the runtime itself.
  /// A fiber that inherits what `parent` has, if there is one.
  [[nodiscard]] detail::FiberRecord& create(std::string_view name, UniqueFunction&& body,
                                            const detail::FiberRecord* parent);
  void release(detail::FiberRecord& fiber) noexcept;
  void enqueue(detail::FiberRecord& fiber) noexcept;
  /// Runs a parked fiber: at once when called on the loop's stack and not `queued`, else from the queue.
  void wake(detail::FiberRecord& fiber, bool queued);
  /// Leaves the running fiber's stack; returns when the fiber is resumed. Its state was set by the caller.
  void suspend(detail::FiberRecord& fiber);
  /// The running fiber, if `address` is in its guard page: it has overflowed its stack. Async-signal-safe.
  [[nodiscard]] const detail::FiberRecord* overflowed_fiber(const void* address) const noexcept;

 private:
  class Binding;

  static void run_fiber(void* record) noexcept;
  void work_through();
  void beat() noexcept;
  void resume(detail::FiberRecord& fiber);
  void finish(detail::FiberRecord& fiber) noexcept;
  void run_batch();
  void bring_forward(std::size_t place) noexcept;
  [[nodiscard]] std::size_t ready_count() const noexcept;
  void add_stack();
  [[nodiscard]] detail::StackMemory take_stack(detail::FiberRecord& fiber) noexcept;
  void remove_idle_stack() noexcept;
  void arm_trim(Duration delay) noexcept;
  void trim() noexcept;
  void discard_deep_pages(detail::FiberRecord& fiber) noexcept;
  void rename(detail::FiberRecord& fiber, std::string_view name) noexcept;
  void sample_stack(const detail::FiberRecord& fiber) noexcept;
  void sample_stacks() noexcept;

  static constexpr std::size_t shallow_bytes = std::size_t{16} * 1024;  // of a pooled stack, never given back
  static constexpr std::size_t samples_per_interval = 256;  // of stacks' depths: a system call for each

  [[gnu::tls_model("initial-exec")]] static constinit thread_local Scheduler* current_;

  // What every switch touches comes first.
  detail::FiberRecord* queue_first_ = nullptr;
  detail::FiberRecord* queue_last_ = nullptr;            // meaningless while the queue is empty
  std::atomic<detail::FiberRecord*> running_ = nullptr;  // atomic for pulse() only
  Driver& driver_;
  SchedulerOptions options_;
  std::shared_ptr<Inbox> inbox_;
  TimerWheel timers_;
  detail::StackPool stacks_;
  ChunkPool chunks_;
  std::deque<detail::FiberRecord> records_;
  detail::FiberRecord* free_ = nullptr;  // with their stacks, most recently used first
  detail::FiberRecord* free_without_stack_ = nullptr;
  std::size_t stack_count_ = 0;
  std::size_t alive_ = 0;
  std::size_t alive_high_water_ = 0;  // since the last trim that was complete
  std::uint64_t started_ = 0;
  Timer trim_timer_;
  std::atomic<std::uint64_t> beat_ = 0;  // odd while the driver may wait
  detail::StackMarks marks_;
  std::size_t samples_left_ = samples_per_interval;
  Scheduler* next_scheduler_ = nullptr;  // see detail::first_scheduler
  log::Sink* log_sink_ = nullptr;
  FiberGroup* guests_ = nullptr;
  OffloadPool* offload_pool_ = nullptr;
  std::unique_ptr<Resolver> resolver_;
  int worker_index_ = -1;
  bool stopping_ = false;
};

}  // namespace atlas
