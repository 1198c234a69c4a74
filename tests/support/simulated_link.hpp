// One connection of a simulated network: two ways, each with a writer's and a reader's end. Internal to the
// simulation.
#pragma once

#include "support/simulated_network.hpp"

#include <atlas/core/address.hpp>
#include <atlas/core/byte_buffer.hpp>
#include <atlas/core/stream.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace atlas::testing {

class SimulatedLoop;

/// Shared by its two streams and by what is planned for them. Ends are numbered: `client`, which connected,
/// and `server`. What happens to an end happens on its loop; order on a way is kept, whatever the latencies.
class SimulatedLink : public std::enable_shared_from_this<SimulatedLink> {
 public:
  static constexpr std::size_t client = 0;
  static constexpr std::size_t server = 1;

  SimulatedLink(SimulatedNetwork& network, SocketAddress client_address, SocketAddress server_address)
      : network_(network), addresses_{std::move(client_address), std::move(server_address)} {}
  ~SimulatedLink();
  SimulatedLink(const SimulatedLink&) = delete;
  SimulatedLink& operator=(const SimulatedLink&) = delete;

  [[nodiscard]] const SocketAddress& address(std::size_t end) const noexcept { return addresses_[end]; }
  [[nodiscard]] SimulatedNetwork& network() noexcept { return network_; }

  // For the stream at `end`:
  void attach(std::size_t end, SimulatedStream& stream, SimulatedLoop& loop);
  /// Why it cannot write; none when it can.
  [[nodiscard]] std::error_code write_error(std::size_t end) const noexcept;
  /// Takes what there is room for; how much.
  std::size_t take(std::size_t end, std::string_view bytes);
  void submit(std::size_t end, std::span<const std::string_view> pieces);
  [[nodiscard]] std::size_t unsent_bytes(std::size_t end) const noexcept;
  void finish(std::size_t end);
  void close(std::size_t end) noexcept;
  void resume(std::size_t end);

 private:
  struct Way {
    // The writer's.
    std::array<std::string_view, Stream::pieces_max> submitted;
    std::size_t submitted_first = 0;
    std::size_t submitted_count = 0;
    bool submitting = false;
    bool finished = false;
    std::size_t outstanding_bytes = 0;  // written, and not yet read
    // Between them: an empty one is the end of the stream.
    std::deque<std::string> in_transit;
    TimePoint last_arrival;
    // The reader's.
    ByteBuffer arrived;
    bool end_arrived = false;
    bool end_told = false;
    bool delivery_planned = false;
  };
  struct End {
    SimulatedStream* stream = nullptr;  // while it is attached and not closed
    SimulatedLoop* loop = nullptr;
    bool closed = false;
    bool broken = false;  // a reset has come
  };

  void send(std::size_t end, std::string segment);
  void arrive(std::size_t end);
  void deliver(std::size_t end);
  void plan_delivery(std::size_t end);
  void absorb_submitted(std::size_t end);
  void tell_written(std::size_t end, std::error_code error);
  void send_reset(std::size_t to);
  void reset(std::size_t end);
  void lose(std::size_t bytes) noexcept;
  void lose_what_comes_to(std::size_t end) noexcept;
  [[nodiscard]] std::size_t pieced(std::size_t bytes, unsigned odds);
  [[nodiscard]] static std::size_t other(std::size_t end) noexcept { return 1 - end; }

  template <class What>
  void plan(std::size_t end, Duration delay, What what);
  template <class What>
  void plan_at(std::size_t end, TimePoint when, What what);

  SimulatedNetwork& network_;
  std::array<SocketAddress, 2> addresses_;
  std::array<Way, 2> ways_;  // by their writers' ends
  std::array<End, 2> ends_;
};

/// The stream at `end`, of the calling thread's loop.
[[nodiscard]] StreamPtr open_end(std::shared_ptr<SimulatedLink> link, std::size_t end);

}  // namespace atlas::testing
