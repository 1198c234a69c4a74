// Waits until a descriptor is ready. Internal.
#pragma once

#include <atlas/core/time.hpp>
#include <atlas/core/wait.hpp>

#include <uv.h>

#include <memory>

namespace atlas::uv {

/// Watches one descriptor that it does not own. Of one thread and one waiting fiber at a time.
class Readiness {
 public:
  explicit Readiness(int fd);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  /// Suspends until one of `events` (UV_READABLE, UV_WRITABLE, the same at each call) is there, or an error
  /// is to be read. The descriptor stays watched between calls that follow one another closely, so that
  /// waiting again costs no system call.
  [[nodiscard]] WaitOutcome wait(WaitReason reason, int events, Deadline deadline = {});

 private:
  struct State;
  State* state_;  // freed by libuv's close callback
};

}  // namespace atlas::uv
