// A function call on another worker: run it there, wait for its result here.
#pragma once

#include <atlas/core/future.hpp>
#include <atlas/core/loop_handle.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/unhurried.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace atlas {

namespace detail {

/// What both ends know of a call. Of the thread that runs it.
struct RemoteCall {
  FiberHandle fiber;
  bool cancelled = false;

  /// False when it was cancelled before.
  bool begin() {
    fiber = FiberHandle::current();
    return !cancelled;
  }
  void cancel() {
    cancelled = true;
    fiber.cancel();
  }
};

/// Stores what `function` comes to.
template <class T, class Function>
void keep(Promise<T>& promise, Function& function) {
  try {
    if constexpr (std::is_void_v<T>) {
      std::invoke(function);
      promise.set_value();
    } else {
      promise.set_value(std::invoke(function));
    }
  } catch (...) {
    promise.set_exception(std::current_exception());
  }
}

/// Suspends until a call that was cancelled has ended: what it came to, or `error` when that is all.
template <class T>
Result<T> outcome_of_cancelled(Future<T>& future, std::error_code error) {
  const Unhurried unhurried;
  try {
    if (auto result = future.get()) return result;
  } catch (const std::system_error& failure) {
    if (failure.code() != std::errc::operation_canceled) throw;
  }
  return Unexpected(error);
}

}  // namespace detail

/// Suspends: runs `function` on a fiber of `loop`, which may be the caller's own, and gives what it returned,
/// or rethrows what it threw. Fiber-locals stay behind. Errors: std::future_errc::broken_promise when that
/// loop has ended before the function began; timed_out and operation_canceled, by `deadline`, a DeadlineScope
/// or a cancellation of the caller. Then the fiber there is cancelled, and waited for whatever the deadline,
/// since what `function` refers to may live on the caller's stack. If it comes to a result all the same, that
/// counts.
///
///   const auto size = run_on(loop, "cache size", [&] { return cache.size(); }).value();
template <class Function, class T = std::invoke_result_t<Function&>>
Result<T> run_on(const LoopHandle& loop, std::string_view name, Function function, Deadline deadline = {}) {
  Promise<T> promise;
  auto future = promise.future();
  const auto call = std::make_shared<detail::RemoteCall>();
  loop.spawn(name, [call, &function, promise = std::move(promise)]() mutable {
    if (call->begin()) detail::keep(promise, function);
  });
  auto result = future.get(deadline);
  if (!future.valid()) return result;
  loop.post([call] { call->cancel(); });
  return detail::outcome_of_cancelled(future, result.error());
}

}  // namespace atlas
