#include <atlas/asgi/worker.hpp>

#include <atlas/asgi/acceptor.hpp>
#include <atlas/asgi/lifespan.hpp>
#include <atlas/core/log.hpp>

#include <utility>

namespace atlas::asgi {
namespace {

ConnectionFacts connection_facts(std::uint64_t id, const SocketAddress& client, const SocketAddress& server) {
  ConnectionFacts facts{.id = id, .server_host = server.host()};
  if (!server.is_unix()) facts.server_port = server.port();
  if (!client.is_unix()) {
    facts.client_host = client.host();
    facts.client_port = client.port();
  }
  return facts;
}

}  // namespace

Worker::Worker(int index, Environment environment, Report started, Report ended)
    : index_(index),
      environment_(std::move(environment)),
      started_(std::move(started)),
      ended_(std::move(ended)),
      loop_(this_world().start_loop([this] { run(); }, environment_.options.scheduler)) {}

void Worker::run() {
  auto& scheduler = *Scheduler::current();
  scheduler.set_log_sink(environment_.log_sink);
  scheduler.set_worker_index(index_);
  std::optional<StallWatch::Membership> watched;
  if (environment_.stalls != nullptr) watched.emplace(*environment_.stalls);
  inbox_ = scheduler.inbox();
  environment_.status.set_loop(static_cast<std::size_t>(index_), LoopHandle::current());
  auto scope = lifespan_scope(index_, environment_.state);
  scope.extensions.atlas.server = &environment_.status;
  scope.extensions.atlas.fibers = visible_census();
  Lifespan lifespan(environment_.application, std::move(scope));
  if (auto error = lifespan.start_up()) {
    started_(std::move(error));
    return ended_(std::nullopt);
  }

  auto shared = context(lifespan.state());
  scheduler.chunks().set_scarce_above(shared.buffered_bytes_max);
  {
    HttpConnections connections(shared);
    const FiberCensus::Membership counted(environment_.census,
                                          [&](auto& rows) { connections.name_clients(rows); });
    connections_ = &connections;
    started_(std::nullopt);
    serve_until_stopped(connections);
    connections_ = nullptr;
  }
  end_guests();
  ended_(lifespan.shut_down());
}

// What other workers have started here may use what the application is about to shut down.
void Worker::end_guests() {
  FiberGroup& guests = *Scheduler::current()->guests();
  guests.cancel();
  static_cast<void>(guests.join());
}

const FiberCensus* Worker::visible_census() const noexcept {
  return environment_.options.debug_endpoints ? &environment_.census : nullptr;
}

WorkerContext Worker::context(const State& state) {
  return {.options = environment_.options,
          .application = environment_.application,
          .counters = environment_.status.worker(static_cast<std::size_t>(index_)),
          .admission = environment_.admission,
          .server = &environment_.status,
          .fibers = visible_census(),
          .worker = index_,
          .state = state,
          .buffered_bytes_max =
              environment_.options.connection_limits.buffered_bytes_max / environment_.status.workers()};
}

void Worker::serve_until_stopped(HttpConnections& connections) {
  while (!stopping_) {
    Wait wait({"serve", this});
    stop_waiter_ = wait.waker();
    static_cast<void>(wait.park());
  }
  acceptors_.reset();
  listeners_.clear();
  const auto deadline = Deadline::after(environment_.options.timeouts.drain);
  const auto open = connections.size();
  if (!connections.drain(deadline))
    log::warn("cut the requests that did not finish in time, of {} connections", open);
}

void Worker::serve(AcceptedSocket socket, const SocketAddress& listening, std::uint64_t connection_id) {
  inbox_->post([this, accepted = std::move(socket), &listening, connection_id]() mutable {
    adopt(std::move(accepted), listening, connection_id);
  });
}

void Worker::accept(std::vector<Listener> listeners) {
  inbox_->post([this, given = std::move(listeners)]() mutable {
    if (stopping_) return;
    listeners_ = std::move(given);
    acceptors_.emplace();
    for (auto& listener : listeners_) {
      acceptors_->spawn("acceptor", [this, &listener] { accept_until_stopped(listener); });
    }
  });
}

void Worker::accept_until_stopped(Listener& listener) {
  accept_clients(listener, [&](AcceptedSocket socket) {
    adopt(std::move(socket), listener.address(), next_connection_id());
  });
}

std::uint64_t Worker::next_connection_id() noexcept {
  return accepted_++ * environment_.status.workers() + static_cast<std::uint64_t>(index_) + 1;
}

// A connection that arrives after the drain has begun is closed: it was accepted a moment too late.
void Worker::adopt(AcceptedSocket socket, const SocketAddress& listening, std::uint64_t connection_id) {
  if (connections_ == nullptr || stopping_) return;
  const auto peer = socket.peer;
  auto stream = adopt_socket(std::move(socket));
  if (!stream) {
    environment_.status.worker(static_cast<std::size_t>(index_)).connections_ended.increment();
    log::warn("a connection could not be served: {}", stream.error().message());
    return;
  }
  const auto local = listening.is_wildcard() ? (*stream)->local_address() : listening;
  connections_->admit(peer, *std::move(stream), connection_facts(connection_id, peer, local));
}

void Worker::stop() {
  inbox_->post([this] {
    stopping_ = true;
    stop_waiter_.wake();
  });
}

}  // namespace atlas::asgi
