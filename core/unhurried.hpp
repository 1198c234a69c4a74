// For waits that must succeed: those of destructors, and of a condition variable that takes its lock again.
// Internal.
#pragma once

#include <atlas/core/fiber.hpp>
#include <atlas/core/time.hpp>

namespace atlas::detail {

struct FiberRecord;

/// While it lives, neither cancellation nor the deadline of a scope ends the running fiber's waits.
class Unhurried {
 public:
  Unhurried();
  ~Unhurried();
  Unhurried(const Unhurried&) = delete;
  Unhurried& operator=(const Unhurried&) = delete;

 private:
  FiberRecord& fiber_;
  Deadline deadline_;
  CancellationShield shield_;
};

}  // namespace atlas::detail
