#include <atlas/asgi/server_status.hpp>

#include <utility>

namespace atlas::asgi {

ServerStatus::Totals ServerStatus::totals() const noexcept {
  Totals totals{.workers = workers_.size(),
                .stalls = stalls_.get(),
                .uptime = std::chrono::steady_clock::now() - started_};
  for (const auto& worker : workers_) {
    totals.requests += worker.requests.get();
    totals.connections_accepted += worker.connections_accepted.get();
    totals.connections_refused += worker.connections_refused.get();
    totals.connections_open += worker.connections_open.get();
    totals.fibers_alive += worker.fibers_alive.get();
    totals.application_failures += worker.application_failures.get();
  }
  return totals;
}

LoopHandle ServerStatus::loop(std::size_t worker) const {
  const std::lock_guard guard(mutex_);
  return loops_.at(worker);
}

void ServerStatus::set_loop(std::size_t worker, LoopHandle loop) {
  const std::lock_guard guard(mutex_);
  loops_.at(worker) = std::move(loop);
}

}  // namespace atlas::asgi
