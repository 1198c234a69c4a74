#include "simulation/scenario_client.hpp"

#include "simulation/response_scanner.hpp"

#include <atlas/core/connect.hpp>
#include <atlas/core/fiber.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string_view>

namespace atlas::testing {
namespace {

using namespace std::chrono_literals;

std::string_view first_line(const Exchange& exchange) {
  return std::string_view(exchange.request).substr(0, exchange.request.find('\r'));
}

class Client {
 public:
  Client(const SocketAddress& address, const ClientPlan& plan, Random& random)
      : address_(address), plan_(plan), random_(random) {}

  std::vector<std::string> run() {
    try {
      while (next_ < plan_.exchanges.size() && !left_) {
        if (!talk()) break;
      }
    } catch (const std::runtime_error& error) {
      complaints_.push_back(error.what());
    }
    return std::move(complaints_);
  }

 private:
  /// One connection's worth of exchanges. False when there is no point in going on.
  bool talk() {
    auto connected = connect(address_, Deadline::after(30s));
    if (!connected) return complain_if_calm(fmt::format("cannot connect: {}", connected.error().message()));
    stream_ = *std::move(connected);
    input_.clear();
    ended_reading_ = false;
    bool open = true;
    while (open && next_ < plan_.exchanges.size()) open = exchange_batch();
    stream_.reset();
    return plan_.calm || open || next_ < plan_.exchanges.size();
  }

  /// What is sent before an answer is waited for: nothing comes behind a request that ends the connection.
  std::span<const Exchange> next_batch() {
    const auto most = std::min(random_.between(1, plan_.pipelined_max), plan_.exchanges.size() - next_);
    std::size_t size = 1;
    while (size < most && !plan_.exchanges[next_ + size - 1].ends) ++size;
    return std::span(plan_.exchanges).subspan(next_, size);
  }

  /// Whether the connection can be used further.
  bool exchange_batch() {
    const auto batch = next_batch();
    next_ += batch.size();
    Fiber writer = spawn("writer", [&] { send(batch); });
    const auto begin = present();
    bool open = read_answer(batch.front());
    check_patience(batch.front(), present() - begin);
    for (const auto& exchange : batch.subspan(1)) open = open && read_answer(exchange);
    if (!open || left_) writer.cancel();
    static_cast<void>(writer.join());
    return open && !left_;
  }

  // In pieces, with pauses: at an end of the plan's patience it leaves.
  void send(std::span<const Exchange> batch) {
    std::string bytes;
    for (const auto& exchange : batch) bytes += exchange.request;
    for (std::string_view rest = bytes; !rest.empty();) {
      auto size = random_.per_mille(300) ? random_.between(1, rest.size()) : rest.size();
      if (!plan_.calm) size = std::min(size, plan_.leaves_after_bytes - sent_bytes_);
      if (size > 0 && !stream_->write(rest.substr(0, size))) return;
      sent_bytes_ += size;
      rest.remove_prefix(size);
      if (!plan_.calm && sent_bytes_ == plan_.leaves_after_bytes) return leave();
      if (plan_.pause_max > 0ns && !this_fiber::sleep_for(random_.between(0ns, plan_.pause_max))) return;
    }
  }

  void leave() {
    left_ = true;
    if (plan_.leaves_by_half) {
      static_cast<void>(stream_->shutdown_write());
    } else {
      stream_->abort();
    }
  }

  /// Whether the next request's answer may follow.
  bool read_answer(const Exchange& exchange) {
    for (std::size_t pieces = 0;; ++pieces) {
      const auto response = scan_response(input_, exchange.to_head, ended_reading_);
      check_so_far(exchange, response);
      if (response.status == 100 && response.complete) {
        input_.erase(0, response.bytes);
      } else if (response.complete) {
        input_.erase(0, response.bytes);
        return finish(exchange, response);
      } else if (exchange.endless && pieces >= 3) {
        return leave(), false;
      } else if (!read_more()) {
        return ended_early(exchange, response);
      }
    }
  }

  bool read_more() {
    if (ended_reading_) return false;
    if (plan_.reads_slowly > 0ns && !this_fiber::sleep_for(plan_.reads_slowly)) return false;
    auto chunk = stream_->read_chunk(Deadline::after(plan_.calm ? 1h : 20s));
    if (!chunk || chunk->empty()) {
      ended_in_order_ = chunk.has_value();
      ended_reading_ = true;
      return chunk.has_value();  // once more, knowing of the end
    }
    input_.append(chunk->bytes().data(), chunk->bytes().size());
    return true;
  }

  // Whatever happens to the connection, nobody else's bytes are on it, and none that were not sent.
  void check_so_far(const Exchange& exchange, const ScannedResponse& response) {
    if (!response.head_complete || response.status != 200 || exchange.status != 200) return;
    if (response.token != exchange.token) {
      complaints_.push_back(fmt::format("'{}' got the answer of '{}'", exchange.token, response.token));
    }
    if (!exchange.endless && !exchange.body.starts_with(response.body)) {
      complaints_.push_back(fmt::format("the body for '{}' is wrong after {} bytes of {}", exchange.token,
                                        response.body.size(), exchange.body.size()));
    }
  }

  // An answer does not wait for those to the requests behind it. Long ones need many packets: they are left
  // out.
  void check_patience(const Exchange& exchange, Duration waited) {
    constexpr std::size_t short_bytes = 1000;
    constexpr auto packets = 2s;
    if (!plan_.calm || exchange.request.size() + exchange.body.size() > short_bytes) return;
    if (waited <= exchange.takes + packets) return;
    complaints_.push_back(fmt::format("'{}' waited for {} ms", first_line(exchange), waited / 1ms));
  }

  static TimePoint present() { return Deadline::after(0s).when(); }

  bool finish(const Exchange& exchange, const ScannedResponse& response) {
    if (response.status == exchange.status && response.status == 200 && !exchange.to_head &&
        response.body.size() != exchange.body.size()) {
      complaints_.push_back(fmt::format("'{}' got {} bytes, complete, instead of {}", exchange.token,
                                        response.body.size(), exchange.body.size()));
    }
    if (response.status != exchange.status && !is_excuse(response.status)) {
      complaints_.push_back(
          fmt::format("'{}' got status {} instead of {}", exchange.token, response.status, exchange.status));
    }
    if (plan_.calm && response.keeps_alive == exchange.ends) {
      complaints_.push_back(fmt::format("'{}' was answered with {}, and the connection {}", exchange.token,
                                        response.status, response.keeps_alive ? "is kept" : "is not"));
    }
    return response.keeps_alive;
  }

  // What a server may say to clients that are slow or leave, on a day on which much breaks.
  [[nodiscard]] bool is_excuse(int status) const {
    return !plan_.calm && (status == 408 || status == 500 || status == 502 || status == 503);
  }

  bool ended_early(const Exchange& exchange, const ScannedResponse& response) {
    if (!plan_.calm) return false;
    if (exchange.cut && response.head_complete && !response.complete) return false;
    complaints_.push_back(fmt::format("'{}' was not answered: the connection ended {}, after {} bytes of {}",
                                      first_line(exchange), ended_in_order_ ? "in order" : "with an error",
                                      response.body.size(), exchange.body.size()));
    return false;
  }

  bool complain_if_calm(std::string complaint) {
    if (plan_.calm) complaints_.push_back(std::move(complaint));
    return false;
  }

  const SocketAddress& address_;
  const ClientPlan& plan_;
  Random& random_;
  StreamPtr stream_;
  std::string input_;
  std::vector<std::string> complaints_;
  std::size_t next_ = 0;
  std::size_t sent_bytes_ = 0;
  bool left_ = false;
  bool ended_reading_ = false;
  bool ended_in_order_ = false;
};

}  // namespace

std::vector<std::string> run_client(const SocketAddress& address, const ClientPlan& plan, Random& random) {
  return Client(address, plan, random).run();
}

}  // namespace atlas::testing
