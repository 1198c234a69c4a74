#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

namespace atlas::testing {
namespace {

using Clock = std::chrono::steady_clock;

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& own) {
  std::vector<std::string> all = own;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("ATLAS_")) all.emplace_back(*entry);
  }
  return all;
}

int milliseconds_to(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max(left.count(), std::chrono::milliseconds::rep{0}));
}

}  // namespace

OutputLines::~OutputLines() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

OutputLines::OutputLines(OutputLines&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      unread_(std::move(other.unread_)),
      ended_(other.ended_) {}

bool OutputLines::read_more(Clock::time_point deadline) {
  pollfd wanted{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (ended_ || ::poll(&wanted, 1, milliseconds_to(deadline)) <= 0) return false;
  std::array<char, 4096> buffer;
  const auto bytes = ::read(descriptor_, buffer.data(), buffer.size());
  ended_ = bytes <= 0;
  if (!ended_) unread_.append(buffer.data(), static_cast<std::size_t>(bytes));
  return !ended_;
}

std::optional<std::string> OutputLines::next(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  auto end = unread_.find('\n');
  while (end == std::string::npos && read_more(deadline)) end = unread_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  auto line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

std::optional<std::string> OutputLines::find(const std::string& text) {
  for (auto line = next(); line; line = next()) {
    if (line->find(text) != std::string::npos) return line;
  }
  return std::nullopt;
}

std::string OutputLines::rest() {
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (read_more(deadline)) continue;
  return std::exchange(unread_, {});
}

struct Process::Pipes {
  Pipes() {
    check(::pipe2(out, O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    check(::pipe2(err, O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
  }
  int out[2];
  int err[2];
};

Process::Process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                 const std::string& folder)
    : Process(arguments, environment, folder, Pipes()) {}

Process::Process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                 const std::string& folder, Pipes pipes)
    : out_(pipes.out[0]), err_(pipes.err[0]) {
  auto argument_texts = arguments;
  auto environment_texts = environment_with(environment);
  posix_spawn_file_actions_t actions;
  check(::posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
  check(::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str()),
        "posix_spawn_file_actions_addchdir_np");
  check(::posix_spawn_file_actions_adddup2(&actions, pipes.out[1], STDOUT_FILENO),
        "posix_spawn_file_actions_adddup2");
  check(::posix_spawn_file_actions_adddup2(&actions, pipes.err[1], STDERR_FILENO),
        "posix_spawn_file_actions_adddup2");
  const int error = ::posix_spawn(&id_, arguments.at(0).c_str(), &actions, nullptr,
                                  pointers(argument_texts).data(), pointers(environment_texts).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipes.out[1]);
  ::close(pipes.err[1]);
  check(error, arguments.at(0).c_str());
}

Process::~Process() {
  if (status_) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void Process::signal(int number) const { check(::kill(id_, number) == 0 ? 0 : errno, "kill"); }

// Its process descriptor becomes readable when a process ends: waitpid itself has no timeout.
std::optional<int> Process::wait(std::chrono::milliseconds timeout) {
  if (status_) return status_;
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
  check(process >= 0 ? 0 : errno, "pidfd_open");
  pollfd end{.fd = process, .events = POLLIN, .revents = 0};
  const bool ended = ::poll(&end, 1, static_cast<int>(timeout.count())) == 1;
  ::close(process);
  if (!ended) return std::nullopt;
  int status = 0;
  check(::waitpid(id_, &status, 0) == id_ ? 0 : errno, "waitpid");
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

}  // namespace atlas::testing
