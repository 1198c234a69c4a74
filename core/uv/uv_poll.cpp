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
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(&state_->handle)) == 0) {
    uv_poll_start(&state_->handle, events, [](uv_poll_t* handle, int status, int) {
      const auto* state = static_cast<State*>(handle->data);
      if (!state->waker.wake(status)) uv_poll_stop(handle);  // ready, and nobody cares at present
    });
  }
  return wait.park(deadline);
}

}  // namespace atlas::uv
