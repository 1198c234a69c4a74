// Latency at a fixed rate, without coordinated omission: request k is due at start + k / rate, whatever
// became of the ones before it, and its latency counts from that moment. One thread that never sleeps, so
// that no wake-up of its own is measured.
//
// A request that is due while every connection is busy waits in line for the first that is free: a server
// that stalls is charged for the requests that it kept from being sent.
#include <deque>

#include "client.hpp"
#include "histogram.hpp"

namespace {

using bench::Clock;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds answers_wait_max{10};  // after the last request was due

struct Plan {
  std::int64_t rate;      // requests per second
  std::int64_t warm_up;   // so many requests are not counted
  std::int64_t requests;  // in all
};

class OpenLoop {
 public:
  OpenLoop(bench::Connections& connections, const Plan& plan) : connections_(connections), plan_(plan) {
    for (std::size_t i = 0; i < connections.size(); ++i) idle_.push_back(i);
  }

  void run() {
    start_ = Clock::now();
    const auto deadline = due_at(plan_.requests) + answers_wait_max;
    while (answered_ < plan_.requests && Clock::now() < deadline) {
      send_what_is_due();
      connections_.poll(0, [this](std::size_t index, const bench::Connection& connection) {
        take_answer(index, connection.since);
      });
    }
  }

  void print() const {
    std::printf(
        "RESULT {\"requests\": %llu, \"unanswered\": %lld, \"late_max\": %lld, \"p50_us\": %.2f, \"p90_us\": "
        "%.2f, "
        "\"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f}\n",
        static_cast<unsigned long long>(histogram_.total()),
        static_cast<long long>(plan_.requests - answered_), static_cast<long long>(late_max_),
        histogram_.quantile_us(0.5), histogram_.quantile_us(0.9), histogram_.quantile_us(0.99),
        histogram_.quantile_us(0.999), histogram_.max_us());
  }

 private:
  [[nodiscard]] Clock::time_point due_at(std::int64_t request) const {
    const std::int64_t whole = request / plan_.rate;
    return start_ + seconds(whole) + nanoseconds((request % plan_.rate) * 1'000'000'000 / plan_.rate);
  }

  // Connections take turns, so that all of them are used. No request is sent ahead of its time.
  void send_what_is_due() {
    const auto now = Clock::now();
    while (sent_ < plan_.requests && !idle_.empty() && due_at(sent_) <= now) {
      connections_.ask(idle_.front(), due_at(sent_));
      idle_.pop_front();
      ++sent_;
    }
    if (idle_.empty()) note_late(now);
  }

  void note_late(Clock::time_point now) {
    const auto elapsed = std::chrono::duration<double>(now - start_).count();
    const auto due =
        std::min(plan_.requests, static_cast<std::int64_t>(elapsed * static_cast<double>(plan_.rate)));
    late_max_ = std::max(late_max_, due - sent_);
  }

  void take_answer(std::size_t index, Clock::time_point since) {
    idle_.push_back(index);
    ++answered_;
    if (since >= due_at(plan_.warm_up)) histogram_.add(duration_cast<nanoseconds>(Clock::now() - since));
  }

  bench::Connections& connections_;
  Plan plan_;
  Clock::time_point start_;
  std::deque<std::size_t> idle_;
  bench::Histogram histogram_;
  std::int64_t sent_ = 0;
  std::int64_t answered_ = 0;
  std::int64_t late_max_ = 0;  // the longest line of requests that no connection was free for
};

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments(argc, argv);
  const auto port = static_cast<std::uint16_t>(arguments.number("port", 8000));
  const auto count = static_cast<std::size_t>(arguments.number("connections", 64));
  const std::int64_t rate = arguments.number("rate", 1000);
  const std::int64_t milliseconds = arguments.number("milliseconds", 4000);
  const std::int64_t warm_up_milliseconds = arguments.number("warm-up-milliseconds", 500);
  const std::string path = arguments.text("path", "/plaintext");
  arguments.expect_no_more();
  const std::int64_t warm_up = rate * warm_up_milliseconds / 1000;
  bench::Connections connections(port, count, path);
  OpenLoop loop(connections,
                {rate, warm_up, warm_up + std::max<std::int64_t>(rate * milliseconds / 1000, 1)});
  loop.run();
  loop.print();
}
