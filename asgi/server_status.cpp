#include <atlas/asgi/server_status.hpp>

namespace atlas::asgi {

ServerStatus::Totals ServerStatus::totals() const noexcept {
  Totals totals{.workers = workers_.size(), .uptime = std::chrono::steady_clock::now() - started_};
  for (const auto& worker : workers_) {
    totals.requests += worker.requests.get();
    totals.connections_accepted += worker.connections_accepted.get();
    totals.connections_open += worker.connections_open.get();
    totals.fibers_alive += worker.fibers_alive.get();
    totals.application_failures += worker.application_failures.get();
  }
  return totals;
}

}  // namespace atlas::asgi
