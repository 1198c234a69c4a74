// A server as an object: start it, ask for its port, stop it. `atlas::serve` is the same with a command
// line around it.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/fiber_census.hpp>
#include <atlas/asgi/options.hpp>
#include <atlas/asgi/server_status.hpp>
#include <atlas/core/address.hpp>
#include <atlas/core/log_sink.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace atlas::asgi {

/// Why a server could not start: one line that says what and where.
class StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Server {
 public:
  /// Does nothing yet. Log lines go to `log`; without it straight to stderr.
  explicit Server(Application application, ServerOptions options = {},
                  std::optional<log::SinkOptions> log = {});
  /// Stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds, starts the threads and runs the application's lifespan start-up; returns once clients are
  /// accepted. On a fiber suspends, else blocks the thread, which may be any but a worker's. Throws
  /// StartError.
  void start();

  /// Stops accepting, closes idle connections, lets running requests finish within Timeouts::drain, runs
  /// lifespan's shutdown. Blocks the thread until all is ended (suspends in a simulation). Does nothing when
  /// not started. Throws std::runtime_error when the application's shutdown failed.
  void stop();

  /// Runs in the calling thread, from start to stop, which SIGINT or SIGTERM asks for; a second one ends the
  /// process at once. SIGHUP opens the log file anew, SIGUSR1 logs what every fiber is doing. Throws as
  /// `start` and `stop` do.
  void run_until_signalled();

  /// While started: the addresses in use, where port 0 has become a port.
  [[nodiscard]] const std::vector<SocketAddress>& addresses() const noexcept;
  /// The first address's port.
  [[nodiscard]] std::uint16_t port() const noexcept { return addresses().front().port(); }
  [[nodiscard]] const ServerStatus& status() const noexcept;
  /// What every fiber is doing. Suspends on a fiber, else blocks: a thread that a fiber keeps is waited for
  /// no longer than `patience`.
  [[nodiscard]] std::vector<ThreadFibers> fibers(Duration patience = FiberCensus::default_patience) const;

 private:
  class Control;
  std::unique_ptr<Control> control_;
};

}  // namespace atlas::asgi
