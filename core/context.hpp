// A stack that can be entered and left: the only place where stacks are switched. Keeps libstdc++'s
// exception state apart for each stack, and tells the sanitizers about every switch.
// Internal: users see fibers. Entering and leaving are inline because a processor predicts returns by
// the calls it has seen: each frame between a switch and the code that asked for it costs as much as
// the switch itself.
#pragma once

#include <atlas/core/sanitizers.hpp>
#include <atlas/core/stack_memory.hpp>

#include <boost/context/detail/fcontext.hpp>

#include <utility>

namespace atlas::detail {

/// What the Itanium C++ ABI keeps per thread and must be kept per stack: the exceptions being handled
/// and how many are in flight. Without this, two fibers that both suspend in a catch block swap theirs.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  /// The thread's.
  [[nodiscard]] static ExceptionState& of_thread() noexcept {
    if (of_thread_ == nullptr) [[unlikely]]
      of_thread_ = ask_runtime();
    return *of_thread_;
  }
  void swap(ExceptionState& other) noexcept {
    if (caught != other.caught || uncaught != other.uncaught) [[unlikely]] {  // else: both are empty
      std::swap(caught, other.caught);
      std::swap(uncaught, other.uncaught);
    }
  }

 private:
  [[nodiscard]] static ExceptionState* ask_runtime() noexcept;

  // Asked for once: the call costs as much as a switch.
  [[gnu::tls_model("initial-exec")]] static constinit thread_local ExceptionState* of_thread_;
};

/// A coroutine on its own stack. The body runs again and again: each time it returns, the context
/// leaves, and the next `enter` calls it anew, so that a pooled stack is set up once.
class Context {
 public:
  using Body = void (*)(void* argument);

  /// Neither runs nor touches the stack yet. `memory` outlives the context.
  Context(StackMemory memory, Body body, void* argument);
  /// The body must have returned (not merely left).
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Called on the thread's own stack; returns when the body leaves or returns.
  [[gnu::always_inline]] void enter() {
    auto& exceptions = ExceptionState::of_thread();
    exceptions.swap(other_side_);
    sanitizer_.entering();
    inside_ = boost::context::detail::jump_fcontext(inside_, this).fctx;
    sanitizer_.left();
    exceptions.swap(other_side_);
  }

  /// Called from within the body; returns at the next `enter`.
  [[gnu::always_inline]] void leave() {
    sanitizer_.leaving();
    outside_ = boost::context::detail::jump_fcontext(outside_, nullptr).fctx;
    sanitizer_.entered();
  }

  [[nodiscard]] const StackMemory& memory() const noexcept { return memory_; }
  /// Where its stack ended when it was last left; meaningless while it is entered.
  [[nodiscard]] const void* left_at() const noexcept { return inside_; }

 private:
  using Position = boost::context::detail::fcontext_t;

  [[noreturn]] static void begin(boost::context::detail::transfer_t entered) noexcept;

  Position inside_;
  Position outside_ = nullptr;
  ExceptionState other_side_;
  [[no_unique_address]] sanitizers::FiberState sanitizer_;
  bool closing_ = false;
  StackMemory memory_;
  Body body_;
  void* argument_;
};

}  // namespace atlas::detail
