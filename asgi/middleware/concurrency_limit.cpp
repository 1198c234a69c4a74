#include <atlas/asgi/middleware/concurrency_limit.hpp>

#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/core/semaphore.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

class Gate {
 public:
  explicit Gate(const ConcurrencyLimit& limit) : limit_(limit), places_(limit.running_max) {
    if (limit.running_max == 0)
      throw std::invalid_argument("concurrency_limit: a limit of zero lets nobody in");
  }

  /// Suspends; false: not in time, or too many wait.
  [[nodiscard]] bool enter() {
    if (places_.try_acquire()) return true;
    const Waiting waiting(waiting_);
    if (waiting.before >= limit_.waiting_max) return false;
    return places_.acquire(Deadline::after(limit_.waiting_time_max)).has_value();
  }
  void leave() { places_.release(); }

 private:
  struct Waiting {
    explicit Waiting(std::atomic<std::size_t>& all)
        : count(all), before(all.fetch_add(1, std::memory_order_relaxed)) {}
    ~Waiting() { count.fetch_sub(1, std::memory_order_relaxed); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    std::atomic<std::size_t>& count;
    const std::size_t before;
  };

  const ConcurrencyLimit limit_;
  Semaphore places_;
  std::atomic<std::size_t> waiting_ = 0;
};

struct Leaving {
  Gate& gate;
  ~Leaving() { gate.leave(); }
};

}  // namespace

Middleware concurrency_limit(const ConcurrencyLimit& limit) {
  const auto gate = std::make_shared<Gate>(limit);
  return http_layer([gate](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    if (!gate->enter()) {
      return error_response(HttpError(503, "too many requests at once", {{"retry-after", "1"}}))
          .send(scope, send);
    }
    const Leaving leaving{*gate};
    inner(scope, receive, send);
  });
}

}  // namespace atlas::asgi
