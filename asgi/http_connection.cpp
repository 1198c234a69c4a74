#include <atlas/asgi/http_connection.hpp>

#include <atlas/core/scheduler.hpp>

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

namespace atlas::asgi {

HttpConnection::HttpConnection(HttpConnections& owner, StreamPtr stream, ConnectionFacts facts)
    : owner_(owner),
      stream_(std::move(stream)),
      facts_(std::move(facts)),
      idle_timer_([](void* self) { static_cast<HttpConnection*>(self)->close_if_idle(); }, this) {
  stream_->set_input_observer(this);
}

std::string HttpConnection::client() const {
  if (facts_.client_host.empty()) return {};
  const bool is_ipv6 = facts_.client_host.find(':') != std::string::npos;
  const auto port = facts_.client_port.value_or(0);
  return is_ipv6 ? fmt::format("[{}]:{}", facts_.client_host, port)
                 : fmt::format("{}:{}", facts_.client_host, port);
}

void HttpConnection::begin() { wait_for_request(owner_.worker_.options.timeouts.header); }

void HttpConnection::wait_for_request(Duration timeout) {
  idle_ = true;
  auto& scheduler = *Scheduler::current();
  idle_timer_.arm(scheduler.timers(), scheduler.turn_time() + timeout);
}

void HttpConnection::close_if_idle() {
  if (idle_) owner_.remove(*this);
}

void HttpConnection::on_input() {
  if (!idle_) {
    if (cycle_ != nullptr && stream_->input_ended()) cycle_->client_gone();
    return;
  }
  if (stream_->input_ended()) return owner_.remove(*this);
  idle_ = false;
  idle_timer_.disarm();
  owner_.fibers_.spawn("client", [this] { serve(); });
}

void HttpConnection::serve() {
  fiber_id_ = this_fiber::id();
  owner_.count_fibers(0);
  auto cycle = owner_.take_cycle();
  cycle_ = cycle.get();
  const auto end = cycle->run(*stream_, facts_);
  cycle_ = nullptr;
  owner_.give_back(std::move(cycle));
  owner_.count_fibers(1);
  switch (end) {
    case HttpCycle::End::idle: return wait_for_request(owner_.worker_.options.timeouts.keep_alive);
    case HttpCycle::End::linger: linger(); break;
    case HttpCycle::End::close:
    case HttpCycle::End::cut: break;
  }
  owner_.remove(*this);
}

// Closing while the client still sends would make the system drop the response with the rest (RFC 9112 §9.6):
// our side is closed, then what still comes is thrown away for a while.
void HttpConnection::linger() {
  constexpr std::size_t bytes_max = std::size_t{1} << 20;
  if (!stream_->shutdown_write()) return;
  const auto deadline = Deadline::after(owner_.worker_.options.timeouts.linger);
  for (std::size_t bytes = 0; bytes < bytes_max;) {
    auto chunk = stream_->read_chunk(deadline);
    if (!chunk || chunk->empty()) return;
    bytes += chunk->bytes().size();
  }
}

HttpConnections::~HttpConnections() {
  worker_.draining = true;
  fibers_.cancel();
  static_cast<void>(fibers_.join());
  while (!connections_.alone()) remove(*connections_.next->owner);
}

void HttpConnections::add(StreamPtr stream, ConnectionFacts facts) {
  auto connection = std::make_unique<HttpConnection>(*this, std::move(stream), std::move(facts));
  connection->link_.insert_before(connections_);
  ++size_;
  worker_.counters.connections_accepted.increment();
  worker_.counters.connections_open.set(size_);
  connection.release()->begin();  // owned by the list
}

void HttpConnections::remove(HttpConnection& connection) noexcept {
  const std::unique_ptr<HttpConnection> owned(&connection);
  connection.link_.unlink();
  worker_.counters.connections_open.set(--size_);
}

bool HttpConnections::drain(Deadline deadline) {
  worker_.draining = true;
  for (auto* link = connections_.next; link != &connections_;) {
    auto& connection = *link->owner;
    link = link->next;
    connection.close_if_idle();
  }
  if (fibers_.join(deadline)) return true;
  fibers_.cancel();
  for (auto* link = connections_.next; link != &connections_; link = link->next) link->owner->cut();
  static_cast<void>(fibers_.join());
  return false;
}

void HttpConnections::name_clients(std::vector<FiberRow>& rows) const {
  std::unordered_map<std::uint64_t, const HttpConnection*> served_by;
  for (const auto* link = connections_.next; link != &connections_; link = link->next) {
    if (!link->owner->idle_) served_by.emplace(link->owner->fiber_id_, link->owner);
  }
  for (auto& row : rows) {
    const auto found = served_by.find(row.fiber.id);
    if (found != served_by.end()) row.client = found->second->client();
  }
}

void HttpConnections::count_fibers(std::size_t ending) noexcept {
  worker_.counters.fibers_alive.set(Scheduler::current()->fibers_alive() - ending);
}

std::unique_ptr<HttpCycle> HttpConnections::take_cycle() {
  if (cycles_.empty()) return std::make_unique<HttpCycle>(worker_);
  auto cycle = std::move(cycles_.back());
  cycles_.pop_back();
  return cycle;
}

void HttpConnections::give_back(std::unique_ptr<HttpCycle> cycle) {
  constexpr std::size_t kept_max = 256;
  if (cycles_.size() < kept_max) cycles_.push_back(std::move(cycle));
}

}  // namespace atlas::asgi
