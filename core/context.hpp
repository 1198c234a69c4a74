// A stack that can be entered and left: the only place where stacks are switched. Keeps libstdc++'s
// exception state apart for each stack, and tells the sanitizers about every switch.
// Internal: users see fibers.
#pragma once

#include <cstddef>
#include <memory>

namespace atlas::detail {

/// Memory for a stack, owned by a StackPool. `top` is one past the highest byte.
struct StackMemory {
  std::byte* bottom = nullptr;
  std::byte* top = nullptr;
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
  void enter();
  /// Called from within the body; returns at the next `enter`.
  void leave();

  [[nodiscard]] const StackMemory& memory() const noexcept { return memory_; }

 private:
  struct Switch;

  StackMemory memory_;
  Body body_;
  void* argument_;
  std::unique_ptr<Switch> switch_;
};

}  // namespace atlas::detail
