#include "support/simulated_network.hpp"

#include "support/simulated_link.hpp"
#include "support/simulated_loop.hpp"
#include "support/simulated_world.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber.hpp>

#include <algorithm>
#include <deque>
#include <utility>

namespace atlas::testing {
namespace {

/// Suspends for as long as a packet takes.
Result<void> wait_for_packet(SimulatedWorld& world, Duration latency) {
  Wait wait({"connect"});
  SimulatedLoop::current().plan(world.now() + latency, [waker = wait.waker()] { waker.wake(); });
  const auto outcome = wait.park();
  if (!outcome.woken()) return Unexpected(outcome.error());
  return {};
}

/// The server's end of a connection, until a loop takes it.
class SimulatedArrival final : public DetachedStream {
 public:
  explicit SimulatedArrival(std::shared_ptr<SimulatedLink> link) : link_(std::move(link)) {}
  ~SimulatedArrival() override {
    if (link_ != nullptr) link_->close(SimulatedLink::server);
  }
  SimulatedArrival(const SimulatedArrival&) = delete;
  SimulatedArrival& operator=(const SimulatedArrival&) = delete;

  Result<StreamPtr> attach() override {
    return open_end(std::exchange(link_, nullptr), SimulatedLink::server);
  }

 private:
  std::shared_ptr<SimulatedLink> link_;
};

}  // namespace

class SimulatedListener final : public ListeningSocket {
 public:
  SimulatedListener(SimulatedNetwork& network, SocketAddress address, std::size_t backlog)
      : network_(network), address_(std::move(address)), backlog_(backlog) {
    network_.listeners_.push_back(this);
    ++network_.totals_.listeners_open;
  }
  ~SimulatedListener() override {
    std::erase(network_.listeners_, this);
    --network_.totals_.listeners_open;
  }
  SimulatedListener(const SimulatedListener&) = delete;
  SimulatedListener& operator=(const SimulatedListener&) = delete;

  [[nodiscard]] bool full() const noexcept { return waiting_.size() >= backlog_; }
  void arrive(AcceptedSocket socket) {
    waiting_.push_back(std::move(socket));
    acceptor_.wake();
  }

  Result<AcceptedSocket> accept(Deadline deadline) override {
    if (network_.world_.random().per_mille(network_.weather_.accept_failures)) {
      return Unexpected(std::errc::too_many_files_open);
    }
    while (waiting_.empty()) {
      Wait wait({"accept", this});
      acceptor_ = wait.remote_waker();
      const auto outcome = wait.park(deadline);
      if (!outcome.woken()) return Unexpected(outcome.error());
    }
    auto socket = std::move(waiting_.front());
    waiting_.pop_front();
    return socket;
  }
  [[nodiscard]] const SocketAddress& address() const noexcept override { return address_; }

 private:
  SimulatedNetwork& network_;
  SocketAddress address_;
  std::size_t backlog_;
  std::deque<AcceptedSocket> waiting_;
  RemoteWaker acceptor_;
};

SimulatedNetwork::~SimulatedNetwork() {
  ATLAS_ASSERT(totals_.streams_open == 0 && totals_.listeners_open == 0, "a simulated socket was left open");
}

SimulatedListener* SimulatedNetwork::find(const SocketAddress& address) const noexcept {
  const auto takes = [&](const SimulatedListener* listener) {
    const auto& own = listener->address();
    return own == address ||
           (own.is_wildcard() && own.family() == address.family() && own.port() == address.port());
  };
  const auto found = std::ranges::find_if(listeners_, takes);
  return found != listeners_.end() ? *found : nullptr;
}

Result<std::unique_ptr<ListeningSocket>> SimulatedNetwork::listen(SocketAddress address,
                                                                  const ListenOptions& options) {
  if (!address.is_unix() && address.port() == 0) address = address.with_port(next_port_++);
  if (find(address) != nullptr) return Unexpected(std::errc::address_in_use);
  return Result<std::unique_ptr<ListeningSocket>>(std::make_unique<SimulatedListener>(
      *this, std::move(address), static_cast<std::size_t>(std::max(options.backlog, 1))));
}

Duration SimulatedNetwork::latency() {
  return world_.random().between(weather_.latency_min, weather_.latency_max);
}

SocketAddress SimulatedNetwork::client_address(const SocketAddress& server, const ConnectOptions& options) {
  if (server.is_unix()) return {};
  const bool ipv6 = server.family() == SocketAddress::Family::ipv6;
  const auto address =
      options.local_address.value_or(SocketAddress::ip(ipv6 ? "fd00::1" : "10.0.0.1", 0).value());
  return address.port() == 0 ? address.with_port(next_port_++) : address;
}

// The request takes its time to the server, and the answer back. A request that finds the backlog full is
// dropped, and sent again after a second, as TCP does.
Result<StreamPtr> SimulatedNetwork::connect(const SocketAddress& address, Deadline deadline,
                                            const ConnectOptions& options) {
  constexpr auto retransmission = std::chrono::seconds(1);
  const DeadlineScope scope(deadline);
  for (;;) {
    if (auto sent = wait_for_packet(world_, latency()); !sent) return Unexpected(sent.error());
    auto* listener = find(address);
    if (listener == nullptr || world_.random().per_mille(weather_.refusals)) {
      ++totals_.refused;
      if (auto answered = wait_for_packet(world_, latency()); !answered) return Unexpected(answered.error());
      return Unexpected(std::errc::connection_refused);
    }
    if (listener->full()) {
      if (auto waited = wait_for_packet(world_, retransmission); !waited) return Unexpected(waited.error());
      continue;
    }
    ++totals_.connections;
    auto link = std::make_shared<SimulatedLink>(*this, client_address(address, options), address);
    listener->arrive({.peer = link->address(SimulatedLink::client),
                      .simulated = std::make_unique<SimulatedArrival>(link)});
    auto client = open_end(link, SimulatedLink::client);
    if (auto answered = wait_for_packet(world_, latency()); !answered) return Unexpected(answered.error());
    return client;
  }
}

}  // namespace atlas::testing
