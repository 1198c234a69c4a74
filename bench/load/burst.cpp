// How a server takes many requests at once: opens N connections, lets each make one request, lets all idle,
// then sends a request on every one of them as fast as one thread can, and reports when the answers were
// there and what they cost.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "client.hpp"

namespace {

using bench::Clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int answer_wait_max_ms = 10'000;

// Time on a processor of all threads of the processes, from the scheduler's own count, in nanoseconds.
double cpu_ns(const std::vector<std::string>& pids) {
  double sum = 0;
  for (const std::string& pid : pids) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + pid + "/task")) {
      double running = 0;
      if (std::ifstream(task.path() / "schedstat") >> running) sum += running;
    }
  }
  return sum;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return text.empty() ? std::vector<std::string>{} : parts;
}

struct Answers {
  std::size_t count = 0;
  double slowest_us = 0;  // from its own request
};

void take(bench::Connections& connections, Answers& answers, int timeout_ms) {
  const int ready = connections.poll(timeout_ms, [&](std::size_t, const bench::Connection& connection) {
    ++answers.count;
    answers.slowest_us = std::max(answers.slowest_us, Microseconds(Clock::now() - connection.since).count());
  });
  if (ready == 0 && timeout_ms == answer_wait_max_ms) bench::fail("answers are missing");
}

void burst(bench::Connections& connections, const std::vector<std::string>& pids) {
  Answers answers;
  const double cpu_before = cpu_ns(pids);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < connections.size(); ++i) connections.ask(i, Clock::now());
  const double sent_us = Microseconds(Clock::now() - start).count();
  while (answers.count < connections.size()) take(connections, answers, answer_wait_max_ms);
  const double last_us = Microseconds(Clock::now() - start).count();
  std::printf(
      "RESULT {\"requests\": %zu, \"sent_us\": %.1f, \"last_us\": %.1f, \"slowest_us\": %.1f, \"cpu_us\": "
      "%.1f}\n",
      answers.count, sent_us, last_us, answers.slowest_us, (cpu_ns(pids) - cpu_before) / 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments(argc, argv);
  const auto port = static_cast<std::uint16_t>(arguments.number("port", 8000));
  const auto count = static_cast<std::size_t>(arguments.number("connections", 10'000));
  const std::chrono::milliseconds idle(arguments.number("idle-milliseconds", 2000));
  const std::vector<std::string> pids = split(arguments.text("pids"));
  const std::string path = arguments.text("path", "/plaintext");
  arguments.expect_no_more();
  bench::Connections connections(port, count, path);
  connections.warm_up();
  std::this_thread::sleep_for(idle);
  burst(connections, pids);
}
