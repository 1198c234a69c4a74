#include <atlas/core/std_mutex_guard.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber_record.hpp>

#include <fmt/format.h>

namespace atlas {

// Of the thread, not of the fiber: no other fiber of it runs while this is not zero.
[[maybe_unused]] static constinit thread_local int std_mutexes_held = 0;

#ifndef NDEBUG
void detail::assert_no_std_mutex_held(const FiberRecord& fiber) noexcept {
  if (std_mutexes_held == 0) return;
  const char* doing = fiber.state == FiberState::parked ? fiber.reason.text : "yield";
  const auto message =
      fmt::format("fiber '{}' suspends ('{}') while it holds a std::mutex", fiber.name(), doing);
  ATLAS_ASSERT(std_mutexes_held == 0, message.c_str());
}
#endif

StdMutexGuard::StdMutexGuard(std::mutex& mutex) : mutex_(mutex) {
  mutex_.lock();
#ifndef NDEBUG
  ++std_mutexes_held;
#endif
}

StdMutexGuard::~StdMutexGuard() {
#ifndef NDEBUG
  --std_mutexes_held;
#endif
  mutex_.unlock();
}

}  // namespace atlas
