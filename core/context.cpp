#include <atlas/core/context.hpp>

#include <atlas/core/assert.hpp>

#include <cxxabi.h>

namespace atlas::detail {

constinit thread_local ExceptionState* ExceptionState::of_thread_ = nullptr;

ExceptionState* ExceptionState::ask_runtime() noexcept {
  return reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
}

Context::Context(StackMemory memory, Body body, void* argument)
    : memory_(memory), body_(body), argument_(argument) {
  const auto size = static_cast<std::size_t>(memory.top - memory.bottom);
  inside_ = boost::context::detail::make_fcontext(memory.top, size, begin);
  sanitizer_.create(memory.bottom, size);
}

Context::~Context() {
  closing_ = true;
  enter();
  ATLAS_ASSERT(outside_ == nullptr, "a context was destroyed while its body had not returned");
  sanitizer_.destroy();
}

void Context::begin(boost::context::detail::transfer_t entered) noexcept {
  auto& self = *static_cast<Context*>(entered.data);
  self.outside_ = entered.fctx;
  self.sanitizer_.entered();
  while (!self.closing_) {
    self.body_(self.argument_);
    self.leave();
  }
  self.sanitizer_.leaving_for_good();
  boost::context::detail::jump_fcontext(std::exchange(self.outside_, nullptr), nullptr);
  detail::assertion_failed("false", "a context was entered after its end", __FILE__, __LINE__);
}

}  // namespace atlas::detail
