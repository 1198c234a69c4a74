// Signals of the operating system as something that a fiber waits for.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <initializer_list>
#include <memory>

namespace atlas {

/// While it lives, the given signals are caught for the whole process and reported here instead of
/// taking their default action. Of the thread that made it, and one waiting fiber; several sets, of any
/// threads, may have the same signal: each is told.
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

/// Suspends until one of `signals` arrives; its number. They are caught only while this waits: before and
/// after they take their default action, or go to the sets that have them. A SignalSet misses none between
/// two waits.
Result<int> wait_for_signal(std::initializer_list<int> signals, Deadline deadline = {});

/// Makes a write to a closed pipe or socket an error (EPIPE) instead of the end of the process.
void ignore_broken_pipes();

}  // namespace atlas
