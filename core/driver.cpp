#include <atlas/core/driver.hpp>

#include <ctime>

namespace atlas {

// The monotonic clock would cost a fraction of this, and count whatever else the processor did meanwhile.
Duration Driver::processor_time() noexcept {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace atlas
