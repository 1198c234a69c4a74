#include <atlas/core/happy_eyeballs.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/wait.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace atlas {
namespace {

/// Errors that this host gives without asking anybody.
bool comes_from_here(std::error_code error) {
  return error == std::errc::network_unreachable || error == std::errc::address_not_available ||
         error == std::errc::address_family_not_supported || error == std::errc::invalid_argument;
}

/// Whether the running fiber's deadline has passed. Its attempts have the same, and may tell of it first.
bool overdue() {
  auto& scheduler = *Scheduler::current();
  return scheduler.running()->scope_deadline.when() <= scheduler.turn_time();
}

/// The attempts to connect, and the fiber that waits for the first to succeed. Lives on that fiber's stack.
class Race {
 public:
  Race(Connector& connector, Duration attempt_delay) : connector_(connector), attempt_delay_(attempt_delay) {}

  Result<StreamPtr> run(std::span<const SocketAddress> addresses) {
    FiberGroup attempts;
    for (const auto& address : addresses) {
      ++running_;
      attempts.spawn("connect", [this, &address] { attempt(address); });
      const bool last = &address == &addresses.back();
      const auto waited = wait_for_news(last ? Deadline() : Deadline::after(attempt_delay_));
      if (winner_ != nullptr) break;
      if (!waited) return Unexpected(waited.error());
    }
    if (auto waited = wait_for_end(); !waited) return Unexpected(waited.error());
    attempts.cancel();
    static_cast<void>(attempts.join());  // throws what an attempt has thrown
    if (winner_ != nullptr) return std::move(winner_);
    return Unexpected(error_);
  }

 private:
  /// Counts an attempt out, also when it throws.
  struct Ended {
    explicit Ended(Race& ended_race) : race(ended_race) {}
    Ended(const Ended&) = delete;
    Ended& operator=(const Ended&) = delete;
    ~Ended() {
      --race.running_;
      race.news_ = true;
      race.waiter_.wake();
    }
    Race& race;
  };

  void attempt(const SocketAddress& address) {
    const Ended ended(*this);
    auto stream = connector_.connect(address);
    if (!stream) {
      if (!error_ || !comes_from_here(stream.error())) error_ = stream.error();
    } else if (winner_ == nullptr) {
      winner_ = *std::move(stream);
    }
  }

  /// Until an attempt has ended, or it is `next`: the time of another attempt.
  Result<void> wait_for_news(Deadline next) {
    if (!news_) {
      Wait wait({"connect", this});
      waiter_ = wait.waker();
      const auto outcome = wait.park(next);
      if (outcome.status == WaitStatus::cancelled) return Unexpected(outcome.error());
    }
    news_ = false;
    if (overdue()) return Unexpected(std::errc::timed_out);
    return {};
  }

  Result<void> wait_for_end() {
    while (winner_ == nullptr && running_ > 0) {
      const auto waited = wait_for_news({});
      if (!waited && winner_ == nullptr) return waited;
    }
    return {};
  }

  Connector& connector_;
  Duration attempt_delay_;
  Waker waiter_;
  StreamPtr winner_;
  std::error_code error_;
  std::size_t running_ = 0;
  bool news_ = false;
};

}  // namespace

std::vector<SocketAddress> interleave_families(std::span<const SocketAddress> addresses) {
  std::vector<SocketAddress> order(addresses.begin(), addresses.end());
  const auto is_first_family = [&](const SocketAddress& each) {
    return each.family() == addresses[0].family();
  };
  const auto others = std::stable_partition(order.begin(), order.end(), is_first_family);
  const auto firsts_count = static_cast<std::size_t>(others - order.begin());
  const std::size_t pairs = std::min(firsts_count, order.size() - firsts_count);
  // The n-th of the others goes behind the n-th of the first family.
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto from = order.begin() + static_cast<std::ptrdiff_t>(firsts_count + i);
    std::rotate(order.begin() + static_cast<std::ptrdiff_t>(2 * i + 1), from, from + 1);
  }
  return order;
}

Result<StreamPtr> connect_first(std::span<const SocketAddress> addresses, Connector& connector,
                                Duration attempt_delay, Deadline deadline) {
  ATLAS_ASSERT(!addresses.empty(), "there is no address to connect to");
  constexpr Duration attempt_delay_min = std::chrono::milliseconds(10);  // RFC 8305 §8
  const DeadlineScope scope(deadline);
  if (addresses.size() == 1) return connector.connect(addresses[0]);
  return Race(connector, std::max(attempt_delay, attempt_delay_min)).run(addresses);
}

}  // namespace atlas
