// Signals of the operating system as something that a fiber waits for.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <initializer_list>
#include <memory>

namespace atlas {

/// While it lives, the given signals are caught for the whole process and reported here instead of
/// taking their default action.
class SignalSet {
 public:
  explicit SignalSet(std::initializer_list<int> signals);
  ~SignalSet();
  SignalSet(const SignalSet&) = delete;
  SignalSet& operator=(const SignalSet&) = delete;

  /// Suspends until one arrives; its number. Those that came meanwhile count, each number once.
  Result<int> wait(Deadline deadline = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes a write to a closed pipe or socket an error (EPIPE) instead of the end of the process.
void ignore_broken_pipes();

}  // namespace atlas
