// libuv's thread pool with all its threads at work: what is asked of it stays in its queue.
#pragma once

#include <atlas/core/fiber.hpp>
#include <atlas/core/uv/uv_pool.hpp>

#include <cstdint>
#include <semaphore>

namespace atlas::testing {

/// Holds every thread of the pool while it lives. On a fiber; one at a time in the process.
class HeldPool {
 public:
  HeldPool() {
    for (int i = 0; i < threads; ++i) {
      group_.spawn("holder", [this] {
        const CancellationShield shield;
        static_cast<void>(uv::call_in_pool({"test"}, {}, [this]() -> std::intptr_t {
          began_.release();
          may_end_.acquire();
          return 0;
        }));
      });
    }
    this_fiber::yield();
    for (int i = 0; i < threads; ++i) began_.acquire();
  }
  ~HeldPool() { may_end_.release(threads); }
  HeldPool(const HeldPool&) = delete;
  HeldPool& operator=(const HeldPool&) = delete;

 private:
  static constexpr int threads = 4;  // libuv's default
  std::counting_semaphore<> began_{0};
  std::counting_semaphore<> may_end_{0};
  FiberGroup group_;
};

}  // namespace atlas::testing
