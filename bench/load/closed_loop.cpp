// Full load on many connections, each with one request under way at all times. Beyond what wrk does, it opens
// them and lets each make a request before anybody measures: it prints READY and waits for a line, runs,
// prints its RESULT, and holds the connections until its input ends, so that neither their coming nor their
// going is measured.
#include <cstdio>

#include "client.hpp"
#include "histogram.hpp"

namespace {

using bench::Clock;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr int answer_wait_max_ms = 10'000;

// Asks for `duration` and waits until everything that was asked is answered: work that is begun is not
// measured without its answer. Returns how long it all took.
nanoseconds load(bench::Connections& connections, std::chrono::milliseconds duration,
                 bench::Histogram& histogram) {
  const auto start = Clock::now();
  std::size_t awaited = connections.size();
  for (std::size_t i = 0; i < connections.size(); ++i) connections.ask(i, Clock::now());
  while (awaited != 0) {
    const int ready =
        connections.poll(answer_wait_max_ms, [&](std::size_t i, const bench::Connection& connection) {
          const auto now = Clock::now();
          histogram.add(duration_cast<nanoseconds>(now - connection.since));
          if (now < start + duration) {
            connections.ask(i, now);
          } else {
            --awaited;
          }
        });
    if (ready == 0) bench::fail(std::to_string(awaited) + " answers are missing");
  }
  return Clock::now() - start;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments(argc, argv);
  const auto port = static_cast<std::uint16_t>(arguments.number("port", 8000));
  const auto count = static_cast<std::size_t>(arguments.number("connections", 10'000));
  const std::chrono::milliseconds duration(arguments.number("milliseconds", 4000));
  const std::string path = arguments.text("path", "/plaintext");
  arguments.expect_no_more();
  bench::Connections connections(port, count, path);
  connections.warm_up();
  bench::Histogram histogram;
  std::puts("READY");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 0;
  const double seconds = std::chrono::duration<double>(load(connections, duration, histogram)).count();
  std::printf("RESULT {\"requests\": %llu, \"seconds\": %.6f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
              static_cast<unsigned long long>(histogram.total()), seconds, histogram.quantile_us(0.5),
              histogram.quantile_us(0.99));
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
}
