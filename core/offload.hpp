// Work that would hold up its thread (blocking calls, long computation), done on threads of its own while the
// fiber waits. It knows nothing of loops: a fiber comes back by way of its scheduler's inbox.
#pragma once

#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait.hpp>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace atlas {

namespace detail {

/// One call's work, on the stack of the fiber that waits for it.
class OffloadWork {
 public:
  OffloadWork(const OffloadWork&) = delete;
  OffloadWork& operator=(const OffloadWork&) = delete;

  /// On a thread of the pool; keeps what comes out.
  virtual void run() noexcept = 0;

  ListLink<OffloadWork> link{this};
  RemoteWaker waker;

 protected:
  OffloadWork() = default;
  ~OffloadWork() = default;
};

template <class Function>
class OffloadCall final : public OffloadWork {
 public:
  using Value = std::invoke_result_t<Function&>;
  static_assert(!std::is_reference_v<Value>, "what is offloaded returns a value, or nothing");

  explicit OffloadCall(Function& function) : function_(function) {}

  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Value>) {
        function_();
      } else {
        value_.emplace(function_());
      }
    } catch (...) {
      exception_ = std::current_exception();
    }
  }

  /// After `run`, on the fiber.
  Result<Value> take() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
    if constexpr (std::is_void_v<Value>) {
      return {};
    } else {
      return *std::move(value_);
    }
  }

 private:
  struct Nothing {};

  Function& function_;
  std::optional<std::conditional_t<std::is_void_v<Value>, Nothing, Value>> value_;
  std::exception_ptr exception_;
};

}  // namespace detail

struct OffloadLimits {
  std::size_t threads = 0;  ///< At most; 0: one for each processor.
  std::size_t queue_max =
      1024;  ///< Work that is accepted and not begun. More waits for a place in the queue.
};

/// A pool at one moment.
struct OffloadStatus {
  std::size_t threads = 0;           ///< Started so far.
  std::size_t busy = 0;              ///< Of them, at work.
  std::size_t queued = 0;            ///< Calls whose work is in the queue.
  std::size_t waiting_for_room = 0;  ///< Calls that wait for a place in the queue.
};

/// Threads for blocking or long work, shared by fibers of any worker. A thread starts when there is work and
/// none is idle, and stays.
class OffloadPool {
 public:
  explicit OffloadPool(const OffloadLimits& limits = {});
  /// Ends the threads. No call may be under way.
  ~OffloadPool();
  OffloadPool(const OffloadPool&) = delete;
  OffloadPool& operator=(const OffloadPool&) = delete;

  /// The pool that `offload` uses on this thread: its scheduler's (Scheduler::set_offload_pool), or else one
  /// that all of the process shares, which is never destroyed: what it runs at the process's exit is cut off.
  [[nodiscard]] static OffloadPool& current();
  /// Calls of `run`, on any pool, that fibers of this thread wait for.
  [[nodiscard]] static std::size_t calls_of_this_thread() noexcept;

  /// Suspends while a thread of the pool calls `function`; its value, or its exception, which is rethrown
  /// here. First come, first served.
  ///
  /// A deadline or cancellation takes work that has not begun out of the queue: an error means that
  /// `function` was not called, and never will be. Work that has begun cannot be interrupted, and may use
  /// what belongs to this fiber: the call then lasts until it has ended, whatever the deadline, and gives its
  /// value; cancellation is seen at the next wait. So `function` may capture references to locals. It must
  /// not suspend: it does not run on a fiber.
  ///
  /// resource_unavailable_try_again: the system refuses the pool its first thread.
  template <class Function>
  [[nodiscard]] auto run(Function&& function, Deadline deadline = {})
      -> Result<std::invoke_result_t<std::remove_reference_t<Function>&>> {
    detail::OffloadCall<std::remove_reference_t<Function>> call(function);
    if (const auto done = perform(call, deadline); !done) return Unexpected(done.error());
    return call.take();
  }

  /// From any thread.
  [[nodiscard]] OffloadStatus status() const;
  /// As given, but with the number of threads that 0 stands for.
  [[nodiscard]] const OffloadLimits& limits() const noexcept { return limits_; }

 private:
  Result<void> perform(detail::OffloadWork& work, Deadline deadline);
  Result<void> enqueue(detail::OffloadWork& work);
  [[nodiscard]] bool withdraw(detail::OffloadWork& work);
  [[nodiscard]] bool start_thread();
  void serve();
  [[nodiscard]] detail::OffloadWork* begin_work();
  void end_work();

  const OffloadLimits limits_;
  mutable std::mutex mutex_;  // for what follows
  std::condition_variable work_there_;
  detail::ListLink<detail::OffloadWork> works_;  // the first `queue_max` are the queue
  std::size_t works_count_ = 0;
  std::size_t idle_ = 0;
  std::size_t busy_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

/// Suspends: OffloadPool::run of the current pool.
template <class Function>
[[nodiscard]] auto offload(Function&& function, Deadline deadline = {}) {
  return OffloadPool::current().run(std::forward<Function>(function), deadline);
}

/// Of the current pool. From any thread.
[[nodiscard]] OffloadStatus offload_status();

}  // namespace atlas
