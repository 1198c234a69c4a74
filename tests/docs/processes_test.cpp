// The examples of docs/processes.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/process.hpp>
#include <atlas/core/signals.hpp>
#include <atlas/core/standard_streams.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;

struct Settings {
  void reload() { ++reloads; }
  int reloads = 0;
};

// clang-format off
std::string checksum(const std::string& text) {
  auto process = Process::start({.arguments = {"md5sum"},
                                 .input = ProcessStream::pipe(),
                                 .output = ProcessStream::pipe()}).value();
  process.input()->write(text).value();
  process.close_input();  // it reads the end
  std::string answer(32, '\0');
  answer.resize(process.output()->read_some(answer, Deadline::after(30s)).value());
  if (!process.wait(Deadline::after(30s)).value().success()) throw std::runtime_error("md5sum failed");
  return answer;
}
// clang-format on

void reload_on_hangup(Settings& settings) {
  SignalSet signals{SIGHUP};
  while (signals.wait()) settings.reload();  // until the fiber is cancelled
}

std::size_t count_input_bytes() {
  auto input = standard_input().value();
  std::array<char, 4096> buffer;
  std::size_t sum = 0;
  while (const auto count = input.read_some(buffer).value()) sum += count;
  return sum;
}

TEST(ProcessesPage, AProcessAnswers) {
  run_event_loop([] { EXPECT_EQ(checksum("hello\n"), "b1946ac92492d2347c6235b4d2611184"); });
}

TEST(ProcessesPage, AFiberHearsSignals) {
  run_event_loop([] {
    Settings settings;
    auto reloader = spawn("reloader", [&] { reload_on_hangup(settings); });
    this_fiber::yield();
    std::raise(SIGHUP);
    while (settings.reloads == 0) this_fiber::sleep_for(1ms).value();
    reloader.cancel();
    reloader.join().value();
    EXPECT_EQ(settings.reloads, 1);
  });
}

TEST(ProcessesPage, InputIsCounted) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(pipe[0], STDIN_FILENO);
  ::close(pipe[0]);
  EXPECT_EQ(::write(pipe[1], "twelve bytes", 12), 12);
  ::close(pipe[1]);
  run_event_loop([] { EXPECT_EQ(count_input_bytes(), 12U); });
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
}

}  // namespace
}  // namespace atlas
