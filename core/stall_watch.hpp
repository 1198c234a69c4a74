// Finds loops that do not come round, and what keeps them: a fiber that computes for too long, or calls
// something that blocks its thread.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/time.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atlas {

struct Stall {
  int worker = -1;                 ///< Scheduler::worker_index.
  Duration lasted{};               ///< So far: the loop has not come round yet.
  std::string fiber;               ///< Who runs; empty: code of the loop itself.
  std::string detail;              ///< this_fiber::set_detail: the request line.
  std::vector<std::string> stack;  ///< Innermost first; empty when the thread did not say where it is.
};

namespace detail {

/// Tells one loop's stalls from its pulse. A loop that waits for something to happen is not stalled.
class StallDetector {
 public:
  explicit StallDetector(Duration threshold) noexcept : threshold_(threshold) {}

  /// How long the loop has been busy with the same turn, once that is `threshold` or more; once for each
  /// stall.
  [[nodiscard]] std::optional<Duration> look(Scheduler::Pulse pulse, TimePoint now) noexcept;

 private:
  Duration threshold_;
  std::uint64_t beat_ = 0;
  std::optional<TimePoint> busy_since_;
  bool reported_ = false;
};

}  // namespace detail

/// Watches the loops of other threads from a fiber of its own thread. A thread that stalls is sent SIGURG,
/// which nobody else should use while a watch exists: its handler notes where the thread is. A call that the
/// signal interrupts is restarted, or ends with EINTR where the system does not restart it (sleeping,
/// polling).
class StallWatch {
 public:
  /// `threshold` is above zero.
  explicit StallWatch(Duration threshold);
  /// Every membership must have ended.
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  struct Watched;

  /// While it lives, the calling thread's scheduler is watched. Ends on the thread it began on.
  class [[nodiscard]] Membership {
   public:
    explicit Membership(StallWatch& watch);
    ~Membership();
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

   private:
    StallWatch& watch_;
    std::shared_ptr<Watched> watched_;
  };

  /// Suspends until a loop has been busy with one turn for `threshold`, and its thread has said where it is
  /// or a second has passed. Finds each stall once, up to a quarter of the threshold late; a stall that
  /// begins and ends unseen, while another is looked into, is not found. An error when cancelled, or by a
  /// DeadlineScope.
  [[nodiscard]] Result<Stall> wait();

 private:
  using WatchedPtr = std::shared_ptr<Watched>;

  [[nodiscard]] std::optional<std::pair<WatchedPtr, Duration>> find();
  [[nodiscard]] bool interrupt(const WatchedPtr& watched);
  [[nodiscard]] Result<Stall> look_into(const WatchedPtr& watched, Duration lasted);

  const Duration threshold_;
  std::mutex mutex_;  // for the members; it keeps their threads alive
  std::vector<WatchedPtr> members_;
};

}  // namespace atlas
