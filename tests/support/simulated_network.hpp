// The network of a simulated world: connections whose bytes take time, arrive in pieces, wait for room and
// get lost when an end breaks. Knows the loops only as places where something happens at a time.
#pragma once

#include "support/random.hpp"

#include <atlas/core/connect.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace atlas::testing {

class SimulatedWorld;
class SimulatedListener;
class SimulatedStream;

/// Odds are per mille of the calls concerned.
struct NetworkWeather {
  Duration latency_min = std::chrono::microseconds(20);
  Duration latency_max = std::chrono::milliseconds(2);
  /// What a direction holds of bytes written and not yet read.
  std::size_t window_bytes = std::size_t{64} * 1024;
  unsigned partial_writes = 0;   ///< The system takes a part of what it could.
  unsigned partial_reads = 0;    ///< A part of what has arrived is delivered.
  unsigned resets = 0;           ///< A write breaks the connection.
  unsigned refusals = 0;         ///< A connection is refused although somebody listens.
  unsigned accept_failures = 0;  ///< Accepting fails for want of descriptors.
};

/// Bytes and connections of all times.
struct NetworkTotals {
  std::uint64_t connections = 0;
  std::uint64_t refused = 0;
  std::uint64_t resets = 0;           ///< By the weather, or because an end was closed over unread bytes.
  std::uint64_t bytes_written = 0;    ///< Taken from writers.
  std::uint64_t bytes_delivered = 0;  ///< Handed to readers.
  std::uint64_t bytes_lost = 0;       ///< Sent to an end that was closed, or broken.
  std::size_t streams_open = 0;       ///< At present.
  std::size_t listeners_open = 0;     ///< At present.
};

class SimulatedNetwork {
 public:
  SimulatedNetwork(SimulatedWorld& world, const NetworkWeather& weather) noexcept
      : world_(world), weather_(weather) {}
  ~SimulatedNetwork();
  SimulatedNetwork(const SimulatedNetwork&) = delete;
  SimulatedNetwork& operator=(const SimulatedNetwork&) = delete;

  [[nodiscard]] Result<std::unique_ptr<ListeningSocket>> listen(SocketAddress address,
                                                                const ListenOptions& options);
  /// Suspends.
  [[nodiscard]] Result<StreamPtr> connect(const SocketAddress& address, Deadline deadline,
                                          const ConnectOptions& options);

  [[nodiscard]] const NetworkTotals& totals() const noexcept { return totals_; }

 private:
  friend class SimulatedLink;
  friend class SimulatedListener;
  friend class SimulatedStream;

  [[nodiscard]] SimulatedListener* find(const SocketAddress& address) const noexcept;
  [[nodiscard]] Duration latency();
  [[nodiscard]] SocketAddress client_address(const SocketAddress& server, const ConnectOptions& options);

  SimulatedWorld& world_;
  const NetworkWeather weather_;
  NetworkTotals totals_;
  std::vector<SimulatedListener*> listeners_;
  std::uint16_t next_port_ = 20'000;
};

}  // namespace atlas::testing
