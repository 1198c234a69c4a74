// Requests to libuv's thread pool as calls of a fiber. The caller's memory is used in place: a request that
// nobody can take back any more is waited for to its end. Internal.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/uv/uv_driver.hpp>
#include <atlas/core/wait.hpp>

#include <uv.h>

#include <cstddef>

namespace atlas::uv {

/// The wait for one request, which lives on the waiting fiber's stack.
class PoolWait {
 public:
  PoolWait(WaitReason reason, Deadline deadline)
      : wait_(reason), deadline_(deadline), waker_(wait_.waker()) {}

  /// An error when the request had better not be made: cancelled, or overdue.
  [[nodiscard]] std::error_code refusal() const noexcept { return wait_.refusal(deadline_); }
  /// Suspends until `done`; an early end takes the request out of the pool's queue, or waits on when it has
  /// begun. What `done` was given, or its error.
  [[nodiscard]] Result<std::size_t> finish(uv_req_t* request);
  /// From the request's callback, as its last step: a byte count, or libuv's error.
  void done(std::intptr_t result) const {
    const Waker waker = waker_;
    waker.wake(result);
  }

 private:
  Wait wait_;
  Deadline deadline_;
  Waker waker_;
};

/// One file operation, and its further results in `raw()`.
class FileCall {
 public:
  FileCall() = default;
  ~FileCall() { uv_fs_req_cleanup(&request_); }
  FileCall(const FileCall&) = delete;
  FileCall& operator=(const FileCall&) = delete;

  /// Suspends. `submit(loop, request, callback)` is a call of uv_fs_…; its result. timed_out and
  /// operation_canceled say that nothing was done.
  template <class Submit>
  [[nodiscard]] Result<std::size_t> run(WaitReason reason, Deadline deadline, const Submit& submit) {
    PoolWait wait(reason, deadline);
    if (const auto refusal = wait.refusal()) return Unexpected(refusal);
    request_.data = &wait;
    const auto on_done = [](uv_fs_t* request) {
      static_cast<const PoolWait*>(request->data)->done(request->result);
    };
    const int status = submit(current_loop(), &request_, on_done);
    if (status < 0) return Unexpected(to_error(status));
    return wait.finish(reinterpret_cast<uv_req_t*>(&request_));
  }

  [[nodiscard]] const uv_fs_t& raw() const noexcept { return request_; }

 private:
  uv_fs_t request_{};
};

/// The result of a call that says no more than that it succeeded.
[[nodiscard]] inline Result<void> without_value(const Result<std::size_t>& result) {
  if (!result) return Unexpected(result.error());
  return {};
}

/// Suspends while the pool calls `function()`, which returns a count or a negative errno, and does not throw.
template <class Function>
[[nodiscard]] Result<std::size_t> call_in_pool(WaitReason reason, Deadline deadline, Function function) {
  struct Call {
    uv_work_t request{};
    Function& function;
    PoolWait& wait;
    std::intptr_t result = 0;
  };
  PoolWait wait(reason, deadline);
  if (const auto refusal = wait.refusal()) return Unexpected(refusal);
  Call call{.function = function, .wait = wait};
  call.request.data = &call;
  const auto work = [](uv_work_t* request) {
    auto& self = *static_cast<Call*>(request->data);
    self.result = self.function();
  };
  const auto on_done = [](uv_work_t* request, int status) {
    const auto& self = *static_cast<Call*>(request->data);
    self.wait.done(status < 0 ? status : self.result);
  };
  if (const int status = uv_queue_work(current_loop(), &call.request, work, on_done); status < 0) {
    return Unexpected(to_error(status));
  }
  return wait.finish(reinterpret_cast<uv_req_t*>(&call.request));
}

}  // namespace atlas::uv
