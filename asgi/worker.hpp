// A worker: a thread with a loop of its own that serves the connections handed to it. Internal to the
// server.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/fiber_census.hpp>
#include <atlas/asgi/http_connection.hpp>
#include <atlas/asgi/options.hpp>
#include <atlas/asgi/server_status.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/inbox.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/stall_watch.hpp>
#include <atlas/core/world.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atlas::asgi {

class Worker {
 public:
  struct Environment {
    const ServerOptions& options;
    const Application& application;
    ServerStatus& status;
    Admission& admission;
    FiberCensus& census;
    StallWatch* stalls;  ///< Null: stalls are not watched.
    log::Sink* log_sink;
    State state;  ///< What the process's lifespan has set.
  };
  /// Told from the worker's thread, once when it has started up and once when it has ended; with an error
  /// text if that failed. A worker that failed to start ends by itself.
  using Report = std::function<void(std::optional<std::string> error)>;

  /// Starts the thread.
  Worker(int index, Environment environment, Report started, Report ended);
  /// Joins the thread, which must have been told to stop, or have failed to start.
  ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // From any thread, once it has started up:

  /// Serves the client. `listening` must outlive the worker; `connection_id` is unique in the process.
  void serve(AcceptedSocket socket, const SocketAddress& listening, std::uint64_t connection_id);
  /// Accepts clients on the worker's own loop until it is stopped, and serves them. Once, and on all workers
  /// or none: connections are numbered without asking the others. Not together with `serve`.
  void accept(std::vector<Listener> listeners);
  /// Drains within Timeouts::drain, runs the application's shutdown, and ends.
  void stop();

 private:
  void run();
  static void end_guests();
  [[nodiscard]] WorkerContext context(const State& state);
  [[nodiscard]] std::uint64_t next_connection_id() noexcept;
  [[nodiscard]] const FiberCensus* visible_census() const noexcept;
  void serve_until_stopped(HttpConnections& connections);
  void accept_until_stopped(Listener& listener);
  void adopt(AcceptedSocket socket, const SocketAddress& listening, std::uint64_t connection_id);

  const int index_;
  Environment environment_;
  Report started_;
  Report ended_;
  std::shared_ptr<Inbox> inbox_;  // set before `started_` is told

  // Of the worker's thread.
  HttpConnections* connections_ = nullptr;
  std::vector<Listener> listeners_;
  std::optional<FiberGroup> acceptors_;
  std::uint64_t accepted_ = 0;  // by those
  bool stopping_ = false;
  Waker stop_waiter_;

  std::unique_ptr<RunningLoop> loop_;
};

}  // namespace atlas::asgi
