// A value that somebody owes somebody else: once, or an exception instead.
#pragma once

#include <atlas/core/assert.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace atlas {

namespace detail {

/// What promise and future share.
class FutureState {
 public:
  Result<void> wait(Deadline deadline);
  [[nodiscard]] bool done() const;
  /// The result, which was stored before, may be looked at from now on.
  void complete();

  std::exception_ptr exception;

 private:
  mutable AnyThread sharing_;
  bool done_ = false;
  WaitQueue queue_;
};

template <class T>
struct FutureValue : FutureState {
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
};

/// std::future_errc::broken_promise.
[[nodiscard]] std::error_code broken_promise() noexcept;

}  // namespace detail

/// The receiving end, of one fiber of any worker. Empty when moved from, or once `get` has given its result.
template <class T>
class [[nodiscard]] Future {
 public:
  Future() noexcept = default;

  /// Suspends until the promise is kept; gives its value away, or rethrows its exception, and is empty then.
  /// Errors: std::future_errc::broken_promise; timed_out and operation_canceled, after which it may be called
  /// again.
  Result<T> get(Deadline deadline = {}) {
    ATLAS_ASSERT(state_ != nullptr, "a future gives its result once");
    if (const auto waited = state_->wait(deadline); !waited) return Unexpected(waited.error());
    const auto state = std::exchange(state_, nullptr);
    if (state->exception) std::rethrow_exception(state->exception);
    if (!state->value) return Unexpected(detail::broken_promise());
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*state->value);
    }
  }

  /// Whether `get` would return at once. False when empty.
  [[nodiscard]] bool ready() const { return state_ != nullptr && state_->done(); }
  /// Whether there is a result to come, or to be had.
  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

 private:
  template <class>
  friend class Promise;
  explicit Future(std::shared_ptr<detail::FutureValue<T>> state) noexcept : state_(std::move(state)) {}

  std::shared_ptr<detail::FutureValue<T>> state_;
};

/// The giving end, of any code on any thread. Kept once; when it is destroyed before that, its future gets
/// broken_promise. Keeping it again aborts.
template <class T>
class Promise {
  static_assert(!std::is_reference_v<T>, "a promise is of a value");

 public:
  Promise() : state_(std::make_shared<detail::FutureValue<T>>()) {}
  Promise(Promise&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), future_taken_(other.future_taken_) {}
  Promise& operator=(Promise&& other) noexcept {
    Promise previous(std::move(*this));
    state_ = std::exchange(other.state_, nullptr);
    future_taken_ = other.future_taken_;
    return *this;
  }
  ~Promise() {
    if (state_ != nullptr && !state_->done()) state_->complete();
  }

  /// Its only future: call it once.
  [[nodiscard]] Future<T> future() {
    ATLAS_ASSERT(state_ != nullptr && !std::exchange(future_taken_, true), "a promise has one future");
    return Future<T>(state_);
  }

  /// Constructs the value from `arguments`; none for Promise<void>. When that throws, the promise is still to
  /// be kept.
  template <class... Arguments>
  void set_value(Arguments&&... arguments) {
    assert_unkept();
    state_->value.emplace(std::forward<Arguments>(arguments)...);
    state_->complete();
  }
  /// `exception` must not be null.
  void set_exception(const std::exception_ptr& exception) {
    assert_unkept();
    state_->exception = exception;
    state_->complete();
  }

 private:
  void assert_unkept() const { ATLAS_ASSERT(state_ != nullptr && !state_->done(), "a promise is kept once"); }

  std::shared_ptr<detail::FutureValue<T>> state_;
  bool future_taken_ = false;
};

}  // namespace atlas
