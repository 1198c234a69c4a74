#include <atlas/core/uv/uv_poll.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/uv/uv_driver.hpp>

namespace atlas::uv {

struct Readiness::State {
  uv_poll_t handle;
  Waker waker;
};

Readiness::Readiness(int fd) : state_(std::make_unique<State>().release()) {
  ATLAS_ASSERT(uv_poll_init(current_loop(), &state_->handle, fd) == 0, "a descriptor cannot be polled");
  state_->handle.data = state_;
}

Readiness::~Readiness() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { std::unique_ptr<State>(static_cast<State*>(handle->data)).reset(); });
}

WaitOutcome Readiness::wait(WaitReason reason, int events, Deadline deadline) {
  Wait wait(reason);
  state_->waker = wait.waker();
  uv_poll_start(&state_->handle, events, [](uv_poll_t* handle, int status, int) {
    auto* state = static_cast<State*>(handle->data);
    uv_poll_stop(handle);
    state->waker.wake(status);
  });
  const auto outcome = wait.park(deadline);
  if (!outcome.woken()) uv_poll_stop(&state_->handle);
  return outcome;
}

}  // namespace atlas::uv
