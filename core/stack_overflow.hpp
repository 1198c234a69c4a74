// Turns a fiber's stack overflow into a report: which fiber, busy with what. Internal.
#pragma once

#include <memory>

namespace atlas::detail {

/// While it lives, this thread takes SIGSEGV and SIGBUS on a stack of its own. A fault in the guard
/// page of the running fiber is reported on stderr, then the process ends by SIGABRT; any other fault goes
/// to whoever handled it before.
class StackOverflowGuard {
 public:
  StackOverflowGuard();
  ~StackOverflowGuard();
  StackOverflowGuard(const StackOverflowGuard&) = delete;
  StackOverflowGuard& operator=(const StackOverflowGuard&) = delete;

 private:
  std::unique_ptr<char[]> signal_stack_;
  void* previous_stack_ = nullptr;
  std::size_t previous_bytes_ = 0;
  int previous_flags_ = 0;
};

}  // namespace atlas::detail
