#include <atlas/core/stack_overflow.hpp>

#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <mutex>

namespace atlas::detail {
namespace {

constexpr std::size_t signal_stack_bytes = std::size_t{64} * 1024;
constexpr std::array handled_signals{SIGSEGV, SIGBUS};

std::array<struct sigaction, handled_signals.size()> previous_actions;

// Only what is async-signal-safe from here on.
void say(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void report(const FiberRecord& fiber) noexcept {
  say("atlas: fiber '");
  say(fiber.name());
  say("' overflowed its stack");
  if (!fiber.detail.empty()) {
    say(" while serving '");
    say(fiber.detail);
    say("'");
  }
  say(" (too deep a recursion, or too large a local variable)\n");
}

void hand_on(int signal, siginfo_t* info, void* context) {
  const auto& previous = previous_actions[signal == handled_signals[0] ? 0 : 1];
  if ((previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
  ::signal(signal, SIG_DFL);  // the faulting instruction runs again, and now it ends the process
  if (info->si_code <= 0) ::raise(signal);  // there is none: it was sent by kill or its kin
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const auto* scheduler = Scheduler::current();
  if (scheduler != nullptr) {
    if (const auto* fiber = scheduler->overflowed_fiber(info->si_addr)) {
      report(*fiber);
      ::signal(SIGABRT, SIG_DFL);
      ::abort();
    }
  }
  hand_on(signal, info, context);
}

void install_handlers() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < handled_signals.size(); ++i) {
    ::sigaction(handled_signals[i], &action, &previous_actions[i]);
  }
}

}  // namespace

StackOverflowGuard::StackOverflowGuard() : signal_stack_(std::make_unique<char[]>(signal_stack_bytes)) {
  static std::once_flag installed;
  std::call_once(installed, install_handlers);
  stack_t ours{};
  ours.ss_sp = signal_stack_.get();
  ours.ss_size = signal_stack_bytes;
  stack_t previous{};
  ::sigaltstack(&ours, &previous);
  previous_stack_ = previous.ss_sp;
  previous_bytes_ = previous.ss_size;
  previous_flags_ = previous.ss_flags;
}

StackOverflowGuard::~StackOverflowGuard() {
  stack_t previous{};
  previous.ss_sp = previous_stack_;
  previous.ss_size = previous_bytes_;
  previous.ss_flags = previous_flags_;
  ::sigaltstack(&previous, nullptr);
}

}  // namespace atlas::detail
