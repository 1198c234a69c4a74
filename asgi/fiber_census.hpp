// What all fibers of a server are doing, asked of every thread: each looks at its own. Knows no text and no
// page.
#pragma once

#include <atlas/core/fiber_facts.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace atlas::asgi {

/// One fiber, and for whom it works.
struct FiberRow {
  FiberFacts fiber;
  std::string client = {};  ///< "192.0.2.1:4000"; empty: nobody, or a unix socket's.
};

/// One thread's fibers at one moment.
struct ThreadFibers {
  int worker = -1;                    ///< -1: the thread that accepts, logs and heeds signals.
  bool answered = false;              ///< Whether it did in time. If not, a fiber keeps it, or it is ending.
  std::size_t alive = 0;              ///< Of which `fibers` are a part, when they are many.
  std::vector<FiberRow> fibers = {};  ///< Those that serve requests first; of those, the longest suspended.
  std::vector<StackMark> stack_marks = {};
};

/// From any thread.
class FiberCensus {
 public:
  /// Of one thread: more are left out.
  static constexpr std::size_t fibers_max = 10'000;
  static constexpr Duration default_patience = std::chrono::seconds(1);

  FiberCensus() = default;
  /// Every member must have left.
  ~FiberCensus() = default;
  FiberCensus(const FiberCensus&) = delete;
  FiberCensus& operator=(const FiberCensus&) = delete;

  struct Asked;

  /// While it lives, the calling thread's scheduler is asked, too. Ends on the thread it began on.
  class [[nodiscard]] Membership {
   public:
    using FillIn = std::function<void(std::vector<FiberRow>&)>;

    /// `fill_in`, if any, is called on this thread, on the loop's stack, to complete rows; it must not
    /// suspend.
    explicit Membership(FiberCensus& census, FillIn fill_in = {});
    ~Membership();
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

   private:
    FiberCensus& census_;
    std::shared_ptr<Asked> asked_;
  };

  /// Suspends on a fiber, else blocks its thread (which must not be a member's), until all have answered or
  /// `patience` is over; a fiber's wait may end earlier. Ordered by worker.
  [[nodiscard]] std::vector<ThreadFibers> take(Duration patience = default_patience) const;

 private:
  class Gathering;

  static void ask(const std::vector<std::shared_ptr<Asked>>& members,
                  const std::shared_ptr<Gathering>& gathering);

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Asked>> members_;  // ordered by worker
};

}  // namespace atlas::asgi
