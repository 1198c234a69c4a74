// What AddressSanitizer, ThreadSanitizer and valgrind are told about stacks. In a plain build every
// function here is empty. Internal: used by Context and StackPool.
#pragma once

#include <cstddef>
#include <initializer_list>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ATLAS_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define ATLAS_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ATLAS_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define ATLAS_TSAN 1
#endif

#if defined(ATLAS_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(ATLAS_TSAN)
#include <sanitizer/tsan_interface.h>
#include <signal.h>
#include <unistd.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define ATLAS_VALGRIND 1
#endif

// ThreadSanitizer counts the frames of each fiber: a function that switches must not have one itself,
// and both switches are on the thread's side, where the frames in between come and go in pairs.
#define ATLAS_NO_FRAME [[gnu::always_inline]] inline

namespace atlas::detail::sanitizers {

#if defined(ATLAS_TSAN)
/// The signals that a loop listens to. ThreadSanitizer keeps one that arrives between two calls of the system
/// for whoever runs then: for a fiber that now waits for that very signal, it would be lost.
[[nodiscard]] inline const sigset_t& signals_of_loops() {
  static const sigset_t set = [] {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : {SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2})
      ::sigaddset(&signals, number);
    return signals;
  }();
  return set;
}

/// ThreadSanitizer makes its record of a thread's signals when the thread first blocks, and loses a signal
/// that arrives meanwhile: so it is made before anybody waits for signals.
inline void make_record_of_signals() {
  thread_local const int done = ::usleep(0);
  static_cast<void>(done);
}
#endif

/// One per context. The calls come in pairs around each switch: entering/entered, leaving/left.
class FiberState {
 public:
  void create([[maybe_unused]] const void* bottom, [[maybe_unused]] std::size_t size) {
#if defined(ATLAS_ASAN)
    bottom_ = bottom;
    size_ = size;
#endif
#if defined(ATLAS_TSAN)
    inside_ = __tsan_create_fiber(0);
#endif
#if defined(ATLAS_VALGRIND)
    valgrind_id_ = VALGRIND_STACK_REGISTER(bottom, static_cast<const char*>(bottom) + size);
#endif
  }

  void destroy() {
#if defined(ATLAS_TSAN)
    __tsan_destroy_fiber(inside_);
#endif
#if defined(ATLAS_VALGRIND)
    VALGRIND_STACK_DEREGISTER(valgrind_id_);
#endif
  }

  /// On the thread's stack, before switching in.
  ATLAS_NO_FRAME void entering() {
#if defined(ATLAS_ASAN)
    __sanitizer_start_switch_fiber(&outside_fake_stack_, bottom_, size_);
#endif
#if defined(ATLAS_TSAN)
    make_record_of_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals_of_loops(), &outside_mask_);
    outside_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(inside_, 0);
#endif
  }

  /// On the fiber's stack, just switched in.
  void entered() {
#if defined(ATLAS_ASAN)
    __sanitizer_finish_switch_fiber(inside_fake_stack_, &outside_bottom_, &outside_size_);
#endif
  }

  /// On the fiber's stack, before switching out.
  void leaving() {
#if defined(ATLAS_ASAN)
    __sanitizer_start_switch_fiber(&inside_fake_stack_, outside_bottom_, outside_size_);
#endif
  }

  /// As `leaving`, but the fiber never comes back: its fake stack is given up.
  void leaving_for_good() {
#if defined(ATLAS_ASAN)
    __sanitizer_start_switch_fiber(nullptr, outside_bottom_, outside_size_);
#endif
  }

  /// On the thread's stack, just switched out.
  ATLAS_NO_FRAME void left() {
#if defined(ATLAS_ASAN)
    __sanitizer_finish_switch_fiber(outside_fake_stack_, nullptr, nullptr);
#endif
#if defined(ATLAS_TSAN)
    __tsan_switch_to_fiber(outside_, 0);
    ::pthread_sigmask(SIG_SETMASK, &outside_mask_, nullptr);
#endif
  }

 private:
#if defined(ATLAS_ASAN)
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  void* inside_fake_stack_ = nullptr;
  void* outside_fake_stack_ = nullptr;
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
#endif
#if defined(ATLAS_TSAN)
  void* inside_ = nullptr;
  void* outside_ = nullptr;
  sigset_t outside_mask_{};
#endif
#if defined(ATLAS_VALGRIND)
  unsigned valgrind_id_ = 0;
#endif
};

/// The memory is about to be reused or given back: no poison of old frames may stay.
inline void forget_stack([[maybe_unused]] void* bottom, [[maybe_unused]] std::size_t size) {
#if defined(ATLAS_ASAN)
  __asan_unpoison_memory_region(bottom, size);
#endif
}

}  // namespace atlas::detail::sanitizers

#undef ATLAS_NO_FRAME
