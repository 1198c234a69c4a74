#include <atlas/core/context.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/sanitizers.hpp>

#include <cxxabi.h>
#include <boost/context/fiber.hpp>
#include <boost/context/preallocated.hpp>

#include <utility>

namespace atlas::detail {
namespace {

// What the Itanium C++ ABI keeps per thread and must be kept per stack: the exceptions being handled
// and how many are in flight. Without this, two fibers that both suspend in a catch block swap theirs.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

void exchange_exception_state(ExceptionState& current, ExceptionState& saved) noexcept {
  std::swap(current.caught, saved.caught);
  std::swap(current.uncaught, saved.uncaught);
}

// The thread's, asked for once: the call costs as much as a third of a switch.
ExceptionState& thread_exception_state() noexcept {
  static constinit thread_local ExceptionState* state = nullptr;
  if (state == nullptr) state = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  return *state;
}

// The pool owns the memory: Boost.Context has nothing to free.
struct PooledStack {
  void deallocate(boost::context::stack_context&) noexcept {}
};

}  // namespace

struct Context::Switch {
  boost::context::fiber inside;
  boost::context::fiber outside;
  ExceptionState other_side;
  bool closing = false;
  sanitizers::FiberState sanitizer;
};

Context::Context(StackMemory memory, Body body, void* argument)
    : memory_(memory), body_(body), argument_(argument), switch_(std::make_unique<Switch>()) {
  const auto size = static_cast<std::size_t>(memory.top - memory.bottom);
  boost::context::stack_context stack;
  stack.sp = memory.top;
  stack.size = size;
  switch_->sanitizer.create(memory.bottom, size);
  switch_->sanitizer.visit_begins();
  switch_->inside =
      boost::context::fiber(std::allocator_arg, boost::context::preallocated(memory.top, size, stack),
                            PooledStack{}, [this](boost::context::fiber&& outside) {
                              switch_->sanitizer.entered();
                              switch_->outside = std::move(outside);
                              while (!switch_->closing) {
                                body_(argument_);
                                leave();
                              }
                              switch_->sanitizer.leaving_for_good();
                              return std::move(switch_->outside);
                            });
  switch_->sanitizer.visit_ends();
}

Context::~Context() {
  switch_->closing = true;
  enter();
  ATLAS_ASSERT(!switch_->inside, "a context was destroyed while its body had not returned");
  switch_->sanitizer.destroy();
}

void Context::enter() {
  auto& state = *switch_;
  auto& exceptions = thread_exception_state();
  exchange_exception_state(exceptions, state.other_side);
  state.sanitizer.entering();
  state.inside = std::move(state.inside).resume();
  state.sanitizer.left();
  exchange_exception_state(exceptions, state.other_side);
}

void Context::leave() {
  auto& state = *switch_;
  state.sanitizer.leaving();
  state.outside = std::move(state.outside).resume();
  state.sanitizer.entered();
}

}  // namespace atlas::detail
