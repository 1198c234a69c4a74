#include <atlas/asgi/server.hpp>

#include <atlas/asgi/acceptor.hpp>
#include <atlas/asgi/fiber_report.hpp>
#include <atlas/asgi/lifespan.hpp>
#include <atlas/asgi/stall_report.hpp>
#include <atlas/asgi/worker.hpp>
#include <atlas/core/assert.hpp>
#include <atlas/core/event.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/signals.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/unhurried.hpp>
#include <atlas/core/world.hpp>

#include <fmt/format.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <memory>
#include <utility>

namespace atlas::asgi {
namespace {

int processors_usable() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

/// Descriptors that are none of the clients': of loops, logs, listeners, and some for the application.
std::size_t descriptors_reserved(std::size_t workers) { return 64 + 8 * workers; }

std::size_t open_files_max() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return static_cast<std::size_t>(files.rlim_cur);
}

std::size_t quarter_of_memory() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const auto page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return SIZE_MAX;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes) / 4;
}

std::size_t worker_count(const ServerOptions& options) {
  return static_cast<std::size_t>(options.workers > 0 ? options.workers : processors_usable());
}

/// With what its zeros stand for.
ServerOptions completed(ServerOptions options) {
  auto& limits = options.connection_limits;
  if (limits.connections_max == 0) {
    const auto files = open_files_max();
    const auto reserved = std::min(descriptors_reserved(worker_count(options)), files / 2);
    limits.connections_max = std::max<std::size_t>(1, files - reserved);
  }
  if (limits.connections_per_address_max == 0)
    limits.connections_per_address_max = std::max<std::size_t>(1, limits.connections_max / 4 * 3);
  if (limits.buffered_bytes_max == 0) limits.buffered_bytes_max = quarter_of_memory();
  return options;
}

Admission::Limits admission_limits(const ConnectionLimits& limits) {
  return {.connections_max = limits.connections_max,
          .connections_per_address_max = limits.connections_per_address_max};
}

SocketAddress parsed(Result<SocketAddress> address, std::string_view text) {
  if (!address) throw StartError(fmt::format("cannot listen on {}: not an address", text));
  return *std::move(address);
}

std::vector<SocketAddress> wanted_addresses(const ServerOptions& options) {
  if (!options.unix_path.empty() && options.accept == AcceptMode::reuseport)
    throw StartError("workers cannot each accept on a unix socket: reuseport is for addresses");
  if (!options.unix_path.empty()) {
    return {parsed(SocketAddress::unix_socket(options.unix_path), options.unix_path)};
  }
  if (options.host != "localhost")
    return {parsed(SocketAddress::ip(options.host, options.port), options.host)};
  return {*SocketAddress::ip("127.0.0.1", options.port), *SocketAddress::ip("::1", options.port)};
}

StartError cannot_listen(const SocketAddress& address, std::error_code error) {
  return StartError(fmt::format("cannot listen on {}: {}", address.to_string(), error.message()));
}

bool is_family_missing(std::error_code error) {
  return error == std::errc::address_family_not_supported || error == std::errc::address_not_available;
}

std::string url(const SocketAddress& address) {
  return address.is_unix() ? address.to_string() : fmt::format("http://{}", address.to_string());
}

/// What `start` waits for, on a fiber or not.
class StartUp {
 public:
  void succeeded() {
    outcome_.set_value();
    known_.set();
  }
  void failed(const std::exception_ptr& exception) {
    outcome_.set_exception(exception);
    known_.set();
  }
  /// Suspends on a fiber, else blocks; rethrows what it failed with.
  void wait() {
    if (this_fiber::exists()) {
      const atlas::detail::Unhurried unhurried;
      known_.wait().value();
    }
    outcome_.get_future().get();
  }

 private:
  std::promise<void> outcome_;
  Event known_;
};

}  // namespace

/// The thread that binds, accepts and stops: its own loop, beside the workers'.
class Server::Control {
 public:
  Control(Application application, ServerOptions options, std::optional<log::SinkOptions> log)
      : application_(std::move(application)),
        options_(completed(std::move(options))),
        log_(std::move(log)),
        status_(worker_count(options_)),
        admission_(admission_limits(options_.connection_limits)) {
    if (options_.stall_threshold > Duration::zero()) stalls_.emplace(options_.stall_threshold);
  }

  void start();
  void stop();
  void run_until_signalled();

  [[nodiscard]] const std::vector<SocketAddress>& addresses() const noexcept { return addresses_; }
  [[nodiscard]] const ServerStatus& status() const noexcept { return status_; }
  [[nodiscard]] const FiberCensus& census() const noexcept { return census_; }

 private:
  void serve_started();
  void serve(bool until_signalled);
  void serve_logged(bool until_signalled);
  void bind();
  [[nodiscard]] std::vector<Listener> bind_again();
  [[nodiscard]] bool workers_accept() const noexcept { return options_.accept == AcceptMode::reuseport; }
  [[nodiscard]] ListenOptions listen_options() const noexcept;
  void start_workers(const State& state);
  void start_accepting();
  void stop_accepting();
  [[nodiscard]] std::size_t least_connected_worker() noexcept;
  [[nodiscard]] std::uint64_t connections_of(std::size_t worker) noexcept;
  void hand_over(AcceptedSocket socket, const SocketAddress& listening);
  void heed_signals();
  void heed_report_requests();
  void reopen_log();
  void wait_for_stop();
  void stop_workers();
  void report_failure(std::optional<std::string> error);
  void wait_until(WaitReason reason, const std::size_t& count);
  Worker::Report counting_into(std::size_t& count);

  const Application application_;
  const ServerOptions options_;
  const std::optional<log::SinkOptions> log_;
  ServerStatus status_;
  Admission admission_;
  FiberCensus census_;
  std::optional<StallWatch> stalls_;
  std::vector<SocketAddress> addresses_;

  // Of the control thread.
  std::vector<Listener> listeners_;                       // until a worker takes them
  std::vector<std::vector<Listener>> further_listeners_;  // likewise, for all workers but the first
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<FiberGroup> acceptors_;
  log::Sink* sink_ = nullptr;
  std::size_t workers_started_ = 0;
  std::size_t workers_ended_ = 0;
  std::optional<std::string> failure_;
  std::size_t next_worker_ = 0;
  std::vector<std::uint64_t> handed_over_;  // to each worker
  std::uint64_t next_connection_id_ = 1;
  bool serving_ = false;  // clients are accepted, or were
  bool stop_requested_ = false;
  Waker waiter_;

  // Between `start` and `stop`.
  std::optional<StartUp> start_up_;
  std::unique_ptr<RunningLoop> loop_;
  std::shared_ptr<Inbox> inbox_;
  std::exception_ptr stop_failure_;
};

void Server::Control::start() {
  ATLAS_ASSERT(loop_ == nullptr, "a server was started twice");
  start_up_.emplace();
  loop_ = this_world().start_loop([this] { serve_started(); }, options_.scheduler);
  try {
    start_up_->wait();
  } catch (...) {
    loop_.reset();
    throw;
  }
}

void Server::Control::serve_started() {
  try {
    serve_logged(false);
  } catch (...) {
    if (serving_) {
      stop_failure_ = std::current_exception();
    } else {
      start_up_->failed(std::current_exception());
    }
  }
}

void Server::Control::stop() {
  if (loop_ == nullptr) return;
  inbox_->post([this] {
    stop_requested_ = true;
    waiter_.wake();
  });
  loop_.reset();
  if (auto failure = std::exchange(stop_failure_, nullptr)) std::rethrow_exception(failure);
}

void Server::Control::run_until_signalled() {
  run_event_loop([this] { serve_logged(true); }, options_.scheduler);
}

void Server::Control::serve_logged(bool until_signalled) {
  auto& scheduler = *Scheduler::current();
  inbox_ = scheduler.inbox();
  const FiberCensus::Membership counted(census_);
  if (!log_) return serve(until_signalled);
  auto sink = log::Sink::open(*log_);
  if (!sink) throw StartError(fmt::format("cannot write the log: {}", sink.error().message()));
  sink_ = sink->get();
  scheduler.set_log_sink(sink_);
  // Whatever happens, what was logged is written before the sink goes.
  struct Closing {
    ~Closing() { scheduler.set_log_sink(nullptr); }
    Scheduler& scheduler;
  } closing{scheduler};
  serve(until_signalled);
}

void Server::Control::serve(bool until_signalled) {
  bind();
  auto scope = lifespan_scope(-1);
  scope.extensions.atlas.server = &status_;
  Lifespan lifespan(application_, std::move(scope));
  if (auto error = lifespan.start_up())
    throw StartError(fmt::format("the application did not start: {}", *error));
  try {
    start_workers(lifespan.state());
  } catch (const StartError&) {
    static_cast<void>(lifespan.shut_down());
    throw;
  }

  start_accepting();
  FiberGroup attendants;
  if (until_signalled) {
    attendants.spawn("signals", [this] { heed_signals(); });
    attendants.spawn("fiber reports", [this] { heed_report_requests(); });
  }
  if (stalls_) attendants.spawn("stall watch", [this] { report_stalls(*stalls_, status_.stalls()); });
  for (const auto& address : addresses_)
    log::info("listening on {} (workers: {})", url(address), workers_.size());
  serving_ = true;
  if (!until_signalled) start_up_->succeeded();

  wait_for_stop();
  log::info("stopping");
  stop_accepting();
  stop_workers();
  report_failure(lifespan.shut_down());
  log::info("stopped");
  if (failure_) throw std::runtime_error(fmt::format("the application did not shut down: {}", *failure_));
}

void Server::Control::bind() {
  for (auto address : wanted_addresses(options_)) {
    // "localhost" is one port, whichever address a client takes.
    if (!addresses_.empty()) address = *SocketAddress::ip(address.host(), addresses_.front().port());
    auto listener = Listener::bind(address, listen_options());
    if (!listener && !addresses_.empty() && is_family_missing(listener.error())) continue;  // no IPv6 here
    if (!listener) {
      throw cannot_listen(address, listener.error());
    }
    listeners_.push_back(*std::move(listener));
    addresses_.push_back(listeners_.back().address());
  }
  while (workers_accept() && further_listeners_.size() + 1 < worker_count(options_))
    further_listeners_.push_back(bind_again());
}

void Server::Control::start_workers(const State& state) {
  try {
    for (std::size_t i = 0; i < worker_count(options_); ++i) {
      workers_.push_back(
          std::make_unique<Worker>(static_cast<int>(i),
                                   Worker::Environment{options_, application_, status_, admission_, census_,
                                                       stalls_ ? &*stalls_ : nullptr, sink_, state},
                                   counting_into(workers_started_), counting_into(workers_ended_)));
    }
  } catch (const std::system_error& error) {
    report_failure(fmt::format("no thread for worker {}: {}", workers_.size(), error.code().message()));
  }
  wait_until({"start workers", this}, workers_started_);
  if (!failure_) return;
  stop_workers();
  throw StartError(fmt::format("the application did not start: {}", *failure_));
}

/// What a worker calls from its thread, so that it is counted on this one.
Worker::Report Server::Control::counting_into(std::size_t& count) {
  return [this, &count, inbox = inbox_](std::optional<std::string> error) {
    inbox->post([this, &count, failed = std::move(error)]() mutable {
      report_failure(std::move(failed));
      ++count;
      waiter_.wake();
    });
  };
}

void Server::Control::report_failure(std::optional<std::string> error) {
  if (error && !failure_) failure_ = std::move(error);
}

void Server::Control::wait_until(WaitReason reason, const std::size_t& count) {
  while (count < workers_.size()) {
    Wait wait(reason);
    waiter_ = wait.waker();
    static_cast<void>(wait.park());
  }
}

ListenOptions Server::Control::listen_options() const noexcept {
  return {.backlog = options_.backlog, .reuse_port = workers_accept()};
}

/// Another set of sockets for the addresses of the first.
std::vector<Listener> Server::Control::bind_again() {
  std::vector<Listener> listeners;
  for (const auto& address : addresses_) {
    auto listener = Listener::bind(address, listen_options());
    if (!listener) throw cannot_listen(address, listener.error());
    listeners.push_back(*std::move(listener));
  }
  return listeners;
}

// A worker that is alone accepts by itself. With several, the acceptors are here, where no application can
// keep them from handing clients to the workers that are free, unless the options have each worker accept.
void Server::Control::start_accepting() {
  if (workers_.size() == 1 || workers_accept()) {
    workers_.front()->accept(std::exchange(listeners_, {}));
    for (std::size_t i = 1; i < workers_.size(); ++i)
      workers_[i]->accept(std::exchange(further_listeners_[i - 1], {}));
    return;
  }
  handed_over_.assign(workers_.size(), 0);
  acceptors_.emplace();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    acceptors_->spawn("acceptor", [this, i] {
      accept_clients(listeners_[i],
                     [&](AcceptedSocket socket) { hand_over(std::move(socket), addresses_[i]); });
    });
  }
}

void Server::Control::stop_accepting() {
  acceptors_.reset();
  listeners_.clear();
  further_listeners_.clear();
}

void Server::Control::hand_over(AcceptedSocket socket, const SocketAddress& listening) {
  const auto chosen =
      options_.placement == Placement::least_connections ? least_connected_worker() : next_worker_;
  workers_[chosen]->serve(std::move(socket), listening, next_connection_id_++);
  ++handed_over_[chosen];
  next_worker_ = (chosen + 1) % workers_.size();
}

// In turn where several have the least. Those on their way to a worker count as its connections.
std::size_t Server::Control::least_connected_worker() noexcept {
  std::size_t least = next_worker_;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    const auto candidate = (next_worker_ + i) % workers_.size();
    if (connections_of(candidate) < connections_of(least)) least = candidate;
  }
  return least;
}

std::uint64_t Server::Control::connections_of(std::size_t worker) noexcept {
  return handed_over_[worker] - status_.worker(worker).connections_ended.get();
}

void Server::Control::heed_signals() {
  SignalSet signals({SIGINT, SIGTERM, SIGHUP});
  for (;;) {
    const auto signal = signals.wait();
    if (!signal) return;
    if (*signal == SIGHUP) {
      reopen_log();
    } else if (std::exchange(stop_requested_, true)) {
      ::_exit(128 + *signal);
    } else {
      waiter_.wake();
    }
  }
}

// Apart from the other signals, which must not wait until the workers have answered.
void Server::Control::heed_report_requests() {
  SignalSet signals({SIGUSR1});
  while (signals.wait()) log_fiber_report(census_.take());
}

void Server::Control::reopen_log() {
  if (sink_ == nullptr) return;
  if (const auto reopened = sink_->reopen(); !reopened) {
    log::error("the log cannot be opened anew: {}", reopened.error().message());
  }
}

void Server::Control::wait_for_stop() {
  while (!stop_requested_) {
    Wait wait({"serve", this});
    waiter_ = wait.waker();
    static_cast<void>(wait.park());
  }
}

void Server::Control::stop_workers() {
  for (auto& worker : workers_) worker->stop();
  wait_until({"stop workers", this}, workers_ended_);
  workers_.clear();
}

Server::Server(Application application, ServerOptions options, std::optional<log::SinkOptions> log)
    : control_(std::make_unique<Control>(std::move(application), std::move(options), std::move(log))) {}

Server::~Server() {
  try {
    stop();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
}

void Server::start() { control_->start(); }
void Server::stop() { control_->stop(); }
void Server::run_until_signalled() { control_->run_until_signalled(); }
const std::vector<SocketAddress>& Server::addresses() const noexcept { return control_->addresses(); }
const ServerStatus& Server::status() const noexcept { return control_->status(); }
std::vector<ThreadFibers> Server::fibers(Duration patience) const {
  return control_->census().take(patience);
}

}  // namespace atlas::asgi
