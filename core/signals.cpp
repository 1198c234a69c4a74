#include <atlas/core/signals.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/uv/uv_driver.hpp>
#include <atlas/core/wait.hpp>

#include <csignal>
#include <vector>

namespace atlas {
namespace {

struct Handle {
  uv_signal_t signal;
  bool arrived = false;
};

}  // namespace

struct SignalSet::State {
  std::vector<std::unique_ptr<Handle>> handles;
  Waker waiter;
};

SignalSet::SignalSet(std::initializer_list<int> signals) : state_(std::make_unique<State>()) {
  for (const int number : signals) {
    auto& handle = *state_->handles.emplace_back(std::make_unique<Handle>());
    ATLAS_ASSERT(uv_signal_init(uv::current_loop(), &handle.signal) == 0, "a signal handle cannot be made");
    handle.signal.data = state_.get();
    const auto on_signal = [](uv_signal_t* signal, int) {
      reinterpret_cast<Handle*>(signal)->arrived = true;
      static_cast<State*>(signal->data)->waiter.wake();
    };
    ATLAS_ASSERT(uv_signal_start(&handle.signal, on_signal, number) == 0, "a signal cannot be caught");
  }
}

SignalSet::~SignalSet() {
  for (auto& handle : state_->handles) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle.release()->signal),
             [](uv_handle_t* closed) { std::unique_ptr<Handle>(reinterpret_cast<Handle*>(closed)).reset(); });
  }
}

Result<int> SignalSet::wait(Deadline deadline) {
  for (;;) {
    for (auto& handle : state_->handles) {
      if (std::exchange(handle->arrived, false)) return handle->signal.signum;
    }
    Wait wait({"signal", this});
    state_->waiter = wait.waker();
    const auto outcome = wait.park(deadline);
    if (!outcome.woken()) return Unexpected(outcome.error());
  }
}

Result<int> wait_for_signal(std::initializer_list<int> signals, Deadline deadline) {
  SignalSet set(signals);
  return set.wait(deadline);
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace atlas
