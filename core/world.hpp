// The seam between a loop and what lies beyond it: loops on other threads, and the network. The system's in a
// server; in a simulation, memory. Knows nothing of how a loop waits: that is driver.hpp's.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/connect.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/unique_function.hpp>

#include <memory>

namespace atlas {

/// A loop that runs beside the caller's. Its destruction waits until it has ended: a thread's blocks, a
/// simulated one's suspends.
class RunningLoop {
 public:
  RunningLoop() = default;
  virtual ~RunningLoop() = default;
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;
};

class World {
 public:
  World() = default;
  virtual ~World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Begins to run `main`, which must not throw, as the first fiber of another loop; see run_event_loop.
  /// Throws std::system_error when there is no thread for it.
  [[nodiscard]] virtual std::unique_ptr<RunningLoop> start_loop(UniqueFunction main,
                                                                const SchedulerOptions& options) = 0;
  /// As Listener::bind.
  [[nodiscard]] virtual Result<std::unique_ptr<ListeningSocket>> listen(const SocketAddress& address,
                                                                        const ListenOptions& options) = 0;
  /// As atlas::connect: suspends.
  [[nodiscard]] virtual Result<StreamPtr> connect(const SocketAddress& address, Deadline deadline,
                                                  const ConnectOptions& options) = 0;
};

/// Threads and sockets of the operating system.
[[nodiscard]] World& system_world() noexcept;

/// What surrounds the loop that runs the caller; the system's where there is none.
[[nodiscard]] World& this_world() noexcept;

}  // namespace atlas
