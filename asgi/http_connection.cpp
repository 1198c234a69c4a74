#include <atlas/asgi/http_connection.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/http/response_serializer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace atlas::asgi {

HttpConnection::HttpConnection(HttpConnections& owner, StreamPtr stream, ConnectionFacts facts,
                               Admission::Place place)
    : owner_(owner),
      stream_(std::move(stream)),
      facts_(std::move(facts)),
      place_(std::move(place)),
      idle_timer_([](void* self) { static_cast<HttpConnection*>(self)->on_idle_timer(); }, this) {
  stream_->set_input_observer(this);
}

std::string HttpConnection::client() const {
  if (facts_.client_host.empty()) return {};
  const bool is_ipv6 = facts_.client_host.find(':') != std::string::npos;
  const auto port = facts_.client_port.value_or(0);
  return is_ipv6 ? fmt::format("[{}]:{}", facts_.client_host, port)
                 : fmt::format("{}:{}", facts_.client_host, port);
}

void HttpConnection::begin(bool behind_proxy) {
  proxy_header_due_ = behind_proxy;
  wait_for_request(owner_.worker_.options.timeouts.header);
}

void HttpConnection::wait_for_request(Duration timeout) noexcept {
  idle_until_ = Scheduler::current()->turn_time() + timeout;
  wait_on();
}

void HttpConnection::wait_on() noexcept {
  idle_ = true;
  const bool in_time = idle_timer_.armed() && idle_timer_.expiry() <= idle_until_;
  if (!in_time) idle_timer_.arm(Scheduler::current()->timers(), idle_until_);
}

// Armed once for many requests: it looks for itself how long the last is ago.
void HttpConnection::on_idle_timer() noexcept {
  if (!idle_) return;
  auto& scheduler = *Scheduler::current();
  if (scheduler.turn_time() >= idle_until_) return owner_.remove(*this);
  idle_timer_.arm(scheduler.timers(), idle_until_);
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
  if (owner_.over_budget()) [[unlikely]]
    return shed();
  be_served();
}

void HttpConnection::be_served() noexcept {
  idle_ = false;
  if (proxy_header_due_) [[unlikely]]
    return owner_.go_on(*this, &HttpConnection::read_proxy_header);
  owner_.stand_in_line(*this);
}

/// Answers for a request that there is no memory for.
void HttpConnection::shed() {
  owner_.refuse(*stream_, "the limit of buffered bytes is reached", facts_);
  owner_.remove(*this);
}

void HttpConnection::read_proxy_header() {
  const auto deadline = Deadline::after(owner_.worker_.options.timeouts.header);
  const auto header = atlas::read_proxy_header(*stream_, deadline);
  if (!header && !stream_->aborted()) owner_.log_closed(facts_, header.error().message());
  if (!header || !admit_client(*header)) return owner_.remove(*this);
  proxy_header_due_ = false;
  fiber_id_ = 0;
  wait_for_request(owner_.worker_.options.timeouts.header);
  if (stream_->input_ready()) on_input();
}

/// The client takes the place of its proxy. False: it may have none.
bool HttpConnection::admit_client(const ProxyHeader& header) {
  if (!header.connection) return true;
  const auto& [client, server] = *header.connection;
  facts_.client_host = client.host();
  facts_.client_port = client.port();
  facts_.server_host = server.host();
  facts_.server_port = server.port();
  place_ = {};
  auto place = owner_.worker_.admission.admit(client);
  if (std::holds_alternative<Admission::Refusal>(place)) {
    owner_.refuse(*stream_, Admission::text(std::get<Admission::Refusal>(place)), facts_);
    return false;
  }
  place_ = std::get<0>(std::move(place));
  return true;
}

void HttpConnection::serve() {
  fiber_id_ = this_fiber::id();
  cycle_ = owner_.take_cycle();
  cycle_->serve(*stream_, facts_);
  fiber_id_ = 0;  // which goes on with others
}

void HttpConnection::write_without_waiting() noexcept {
  if (cycle_->write_without_waiting()) return conclude();
  owner_.go_on(*this, &HttpConnection::write);
}

void HttpConnection::write() {
  cycle_->write();
  conclude();
}

void HttpConnection::conclude() noexcept {
  fiber_id_ = 0;
  const auto end = cycle_->end();
  owner_.give_back(std::move(cycle_));
  switch (end) {
    case HttpCycle::End::idle: wait_for_request(owner_.worker_.options.timeouts.keep_alive); break;
    case HttpCycle::End::unasked: wait_on(); break;
    case HttpCycle::End::linger: return owner_.go_on(*this, &HttpConnection::linger);
    case HttpCycle::End::close:
    case HttpCycle::End::cut: return owner_.remove(*this);
  }
  // What came while answers were written went unnoticed.
  if (stream_->input_ready()) be_served();
}

// Closing while the client still sends would make the system drop the response with the rest (RFC 9112 §9.6):
// our side is closed, then what still comes is thrown away for a while.
void HttpConnection::linger() {
  read_on();
  owner_.remove(*this);
}

void HttpConnection::read_on() {
  const auto bytes_max = owner_.worker_.options.connection_limits.linger_bytes_max;
  if (!stream_->shutdown_write()) return;
  const auto deadline = Deadline::after(owner_.worker_.options.timeouts.linger);
  for (std::size_t bytes = 0; bytes < bytes_max;) {
    auto chunk = stream_->read_chunk(deadline);
    if (!chunk || chunk->empty()) return;
    bytes += chunk->bytes().size();
  }
}

void HttpConnections::stand_in_line(HttpConnection& connection) noexcept {
  connection.link_.unlink();
  connection.link_.insert_before(line_);
  give_fiber();
}

// Also where a fiber is about to suspend, in the middle of its own client's request.
void HttpConnections::give_fiber() noexcept {
  if (fiber_due_ || line_.alone()) return;
  try {
    fibers_.spawn_apart("client", [this] { serve_line(); });
    fiber_due_ = true;
  } catch (const std::exception&) {  // there is no memory: the line waits for who comes next
    ++fibers_missed_;
  }
}

void HttpConnections::serve_line() {
  count_fibers(0);
  if (fibers_missed_ > 0)
    log::error("no memory for a client's fiber, {} times", std::exchange(fibers_missed_, 0));
  for (;;) {
    fiber_due_ = false;
    while (!line_.alone() && !held_enough()) serve_first_in_line();
    write_held();
    if (line_.alone()) break;
    fiber_due_ = true;
    this_fiber::yield();
  }
  count_fibers(1);
}

// Nobody's answer waits long for requests that take the processor's time: after each few, the clock is looked
// at.
bool HttpConnections::held_enough() noexcept {
  constexpr std::size_t together_max = 64;
  constexpr std::size_t few = 8;
  constexpr auto few_take_max = std::chrono::milliseconds(1);
  if (held_.size() % few != 0 || held_.empty()) return false;
  if (held_.size() >= together_max) return true;
  const auto now = Scheduler::current()->driver().now();
  const auto last = std::exchange(clock_seen_, now);
  return held_.size() > few && now - last > few_take_max;
}

void HttpConnections::serve_first_in_line() {
  auto& connection = *line_.next->owner;
  connection.link_.unlink();
  connection.link_.insert_before(connections_);
  try {
    connection.serve();
    held_.push_back(&connection);
  } catch (const std::exception& error) {  // there is no memory for it
    write_held();
    log::error("a client is cut off: {}", error.what());
    connection.cut();
    remove(connection);
  }
}

void HttpConnections::write_held() noexcept {
  for (auto* connection : held_) connection->write_without_waiting();
  held_.clear();
}

void HttpConnections::before_suspend() noexcept {
  write_held();
  give_fiber();
}

void HttpConnections::go_on(HttpConnection& connection, void (HttpConnection::*part)()) noexcept {
  try {
    fibers_.spawn_apart("client", [this, &connection, part] {
      count_fibers(0);
      connection.fiber_id_ = this_fiber::id();
      (connection.*part)();
      count_fibers(1);
    });
  } catch (const std::exception&) {  // there is no memory for it
    ++fibers_missed_;
    connection.cut();
    remove(connection);
  }
}

HttpConnections::~HttpConnections() {
  worker_.draining = true;
  fibers_.cancel();
  static_cast<void>(fibers_.join());
  while (!line_.alone()) remove(*line_.next->owner);
  while (!connections_.alone()) remove(*connections_.next->owner);
}

void HttpConnections::admit(const SocketAddress& client, StreamPtr stream, ConnectionFacts facts) {
  using Refusal = Admission::Refusal;
  auto place = worker_.admission.admit(client);
  const auto* refusal = std::get_if<Refusal>(&place);
  if (refusal != nullptr && *refusal == Refusal::full && make_room()) {
    place = worker_.admission.admit(client);
    refusal = std::get_if<Refusal>(&place);
  }
  if (refusal == nullptr) {
    const bool behind_proxy = worker_.options.proxy_protocol_from.contains(client);
    return add(std::move(stream), std::move(facts), std::get<0>(std::move(place)), behind_proxy);
  }
  worker_.counters.connections_ended.increment();
  refuse(*stream, Admission::text(*refusal), facts);
}

void HttpConnections::add(StreamPtr stream, ConnectionFacts facts, Admission::Place place,
                          bool behind_proxy) {
  auto connection =
      std::make_unique<HttpConnection>(*this, std::move(stream), std::move(facts), std::move(place));
  connection->link_.insert_before(connections_);
  ++size_;
  worker_.counters.connections_accepted.increment();
  worker_.counters.connections_open.set(size_);
  connection.release()->begin(behind_proxy);  // owned by the list
}

void HttpConnections::remove(HttpConnection& connection) noexcept {
  const std::unique_ptr<HttpConnection> owned(&connection);
  connection.link_.unlink();
  worker_.counters.connections_open.set(--size_);
  worker_.counters.connections_ended.increment();
}

// Of those at the list's front, which then go to its end: looking at all of them, for each client that comes,
// would be what an attacker wants.
bool HttpConnections::make_room() {
  constexpr std::size_t looked_at_max = 64;
  HttpConnection* chosen = nullptr;
  for (std::size_t i = std::min(looked_at_max, size_); i > 0; --i) {
    auto& link = *connections_.next;
    link.unlink();
    link.insert_before(connections_);
    auto& candidate = *link.owner;
    if (!candidate.idle_) continue;
    if (chosen == nullptr || candidate.idle_until_ < chosen->idle_until_) chosen = &candidate;
  }
  if (chosen != nullptr) remove(*chosen);
  return chosen != nullptr;
}

// Without a fiber and without waiting: what does not fit into the socket's buffer now is not worth having.
void HttpConnections::refuse(Stream& stream, std::string_view reason, const ConnectionFacts& facts) {
  ByteBuffer answer;
  const auto now = Scheduler::current()->turn_time();
  http::append_error(answer, {.status = 503, .text = {}, .keep_alive = false},
                     {.date_line = worker_.clock.date_line(now)});
  const std::string_view bytes = answer.view();
  static_cast<void>(stream.try_write({&bytes, 1}));
  static_cast<void>(stream.shutdown_write());
  worker_.counters.connections_refused.increment();
  if (!refusal_lines_.take(now)) return;
  log::warn("refused with 503: {} (client {}; {} since the last such line)", reason, facts.client_host,
            refusal_lines_.take_left_out() + 1);
}

void HttpConnections::log_closed(const ConnectionFacts& facts, std::string_view why) {
  if (!refusal_lines_.take(Scheduler::current()->turn_time())) return;
  log::warn(
      "closed without an answer: no header of the PROXY protocol: {} (client {}; {} since the last such "
      "line)",
      why, facts.client_host, refusal_lines_.take_left_out() + 1);
}

// A fiber counts as the pages of its stack that it touches at least: a head that does not end holds little
// else.
bool HttpConnections::over_budget() const noexcept {
  constexpr std::size_t fiber_bytes = std::size_t{8} * 1024;
  const auto buffered = Scheduler::current()->chunks().lent_bytes() + worker_.held_bytes;
  return buffered + fibers_.size() * fiber_bytes > worker_.buffered_bytes_max;
}

bool HttpConnections::drain(Deadline deadline) {
  worker_.draining = true;
  for (auto* link = connections_.next; link != &connections_;) {
    auto& connection = *link->owner;
    link = link->next;
    connection.close_if_idle();
  }
  if (fibers_.join(deadline)) return !cut_;
  cut_ = true;
  fibers_.cancel();
  for (auto* link = connections_.next; link != &connections_; link = link->next) link->owner->cut();
  static_cast<void>(fibers_.join());
  return false;
}

void HttpConnections::name_clients(std::vector<FiberRow>& rows) const {
  std::unordered_map<std::uint64_t, const HttpConnection*> served_by;
  for (const auto* link = connections_.next; link != &connections_; link = link->next) {
    if (link->owner->fiber_id_ != 0) served_by.emplace(link->owner->fiber_id_, link->owner);
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
