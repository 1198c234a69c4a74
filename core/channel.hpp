// Values on their way from fiber to fiber, so many at a time.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/ring.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <cstddef>
#include <iterator>
#include <mutex>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace atlas {

namespace detail {
template <class T, class Sharing>
class ChannelCase;
}

/// Any number of fibers send, any number receive. Each value goes to one receiver, in the order of sending;
/// fibers that have to wait are served in the order of their coming. Moves of T happen under the channel's
/// guard, on either side's thread: they must not throw, nor suspend, nor use this channel. Must not move; may
/// be destroyed, with the values in it, as soon as all calls that waited have returned, even while a `close`
/// or whoever served them has not.
template <class T, class Sharing>
class BasicChannel {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "what goes through a channel must move without throwing");

 public:
  class Iterator;

  /// Holds up to `capacity` values that nobody has asked for yet. With 0, a sender waits for its receiver.
  explicit BasicChannel(std::size_t capacity) : values_(capacity) {}

  /// Suspends while the channel is full. Errors: broken_pipe when it is closed, also while waiting;
  /// timed_out, operation_canceled. `value` is moved from only if it was sent.
  Result<void> send(T&& value, Deadline deadline = {});
  Result<void> send(const T& value, Deadline deadline = {}) requires std::is_copy_constructible_v<T> {
    return send(T(value), deadline);
  }
  /// False when it is full, or closed. `value` is moved from only if it was sent.
  [[nodiscard]] bool try_send(T&& value);
  [[nodiscard]] bool try_send(const T& value) requires std::is_copy_constructible_v<T> {
    return try_send(T(value));
  }

  /// Suspends while the channel is empty and not closed. None: it is closed, and all that was sent has been
  /// received. Errors: timed_out, operation_canceled; nothing was received then.
  Result<std::optional<T>> receive(Deadline deadline = {});
  /// None when there is nothing at present, closed or not.
  [[nodiscard]] std::optional<T> try_receive();

  /// No more values: senders get broken_pipe, those who wait included; receivers get what is in the channel,
  /// then the end. Closing again does nothing.
  void close();
  [[nodiscard]] bool closed() const;

  /// Values in the channel at present, and how many it has room for.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t capacity() const noexcept { return values_.capacity(); }

  /// Receives until the end:  for (Job& job : jobs) run(job);
  /// Suspends at every step; a deadline or a cancellation comes out as std::system_error.
  [[nodiscard]] Iterator begin() { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class detail::ChannelCase<T, Sharing>;
  using Wakeup = typename Sharing::Wakeup;

  struct Sender : detail::Waiter {
    Sender(Wait& fiber_wait, T& offered, detail::Selection* shared_selection = nullptr) noexcept
        : Waiter(fiber_wait, shared_selection), value(offered) {}
    T& value;
    bool sent = false;  // else, once granted: closed
  };
  struct Receiver : detail::Waiter {
    explicit Receiver(Wait& fiber_wait, detail::Selection* shared_selection = nullptr) noexcept
        : Waiter(fiber_wait, shared_selection) {}
    std::optional<T> value;  // none, once granted: the end
  };

  // Under the guard, without waiting. False: there is nothing to be had now.
  [[nodiscard]] bool put(T& value, Wakeup& wakeup) noexcept;
  [[nodiscard]] bool take(std::optional<T>& value, Wakeup& wakeup) noexcept;
  [[nodiscard]] bool take_from_sender(std::optional<T>& value, Wakeup& wakeup) noexcept;

  [[no_unique_address]] mutable Sharing sharing_;
  bool closed_ = false;
  std::size_t selections_ = 0;  // that began with this channel: they take turns
  detail::Ring<T> values_;
  detail::WaitQueue senders_;    // none while there is room
  detail::WaitQueue receivers_;  // none while there are values
};

/// For range-based loops: receives as it goes. What it refers to lives until the next step, and may be moved
/// from.
template <class T, class Sharing>
class BasicChannel<T, Sharing>::Iterator {
 public:
  explicit Iterator(BasicChannel& channel) : channel_(&channel), value_(channel.receive().value()) {}

  T& operator*() noexcept { return *value_; }
  T* operator->() noexcept { return &*value_; }
  Iterator& operator++() {
    value_.reset();
    if (auto received = channel_->receive().value()) value_.emplace(std::move(*received));
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
    return !iterator.value_;
  }

 private:
  BasicChannel* channel_;
  std::optional<T> value_;
};

template <class T, class Sharing>
Result<void> BasicChannel<T, Sharing>::send(T&& value, Deadline deadline) {
  Wakeup wakeup;
  std::unique_lock guard(sharing_);
  if (closed_) return Unexpected(std::errc::broken_pipe);
  if (put(value, wakeup)) return {};
  Wait fiber_wait({"send to channel", this});
  Sender sender(fiber_wait, value);
  auto waited = senders_.wait(guard, sender, deadline);
  if (waited && !sender.sent) return Unexpected(std::errc::broken_pipe);
  return waited;
}

template <class T, class Sharing>
bool BasicChannel<T, Sharing>::try_send(T&& value) {
  Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  return !closed_ && put(value, wakeup);
}

template <class T, class Sharing>
Result<std::optional<T>> BasicChannel<T, Sharing>::receive(Deadline deadline) {
  std::optional<T> value;
  Wakeup wakeup;
  std::unique_lock guard(sharing_);
  if (take(value, wakeup) || closed_) return value;
  Wait fiber_wait({"receive from channel", this});
  Receiver receiver(fiber_wait);
  if (const auto waited = receivers_.wait(guard, receiver, deadline); !waited) {
    return Unexpected(waited.error());
  }
  return std::move(receiver.value);
}

template <class T, class Sharing>
std::optional<T> BasicChannel<T, Sharing>::try_receive() {
  std::optional<T> value;
  Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  static_cast<void>(take(value, wakeup));
  return value;
}

template <class T, class Sharing>
void BasicChannel<T, Sharing>::close() {
  Wakeup wakeup;
  const std::lock_guard guard(sharing_);
  closed_ = true;
  receivers_.grant_all(wakeup);
  senders_.grant_all(wakeup);
}

template <class T, class Sharing>
bool BasicChannel<T, Sharing>::closed() const {
  const std::lock_guard guard(sharing_);
  return closed_;
}

template <class T, class Sharing>
std::size_t BasicChannel<T, Sharing>::size() const {
  const std::lock_guard guard(sharing_);
  return values_.size();
}

template <class T, class Sharing>
bool BasicChannel<T, Sharing>::put(T& value, Wakeup& wakeup) noexcept {
  if (auto* waiter = receivers_.claim_first()) {
    static_cast<Receiver*>(waiter)->value.emplace(std::move(value));
    detail::WaitQueue::grant(*waiter, wakeup);
    return true;
  }
  if (values_.full()) return false;
  values_.push(std::move(value));
  return true;
}

template <class T, class Sharing>
bool BasicChannel<T, Sharing>::take(std::optional<T>& value, Wakeup& wakeup) noexcept {
  if (values_.empty()) return take_from_sender(value, wakeup);
  value.emplace(values_.pop());
  if (std::optional<T> next; take_from_sender(next, wakeup)) values_.push(std::move(*next));
  return true;
}

template <class T, class Sharing>
bool BasicChannel<T, Sharing>::take_from_sender(std::optional<T>& value, Wakeup& wakeup) noexcept {
  auto* sender = static_cast<Sender*>(senders_.claim_first());
  if (sender == nullptr) return false;
  value.emplace(std::move(sender->value));
  sender->sent = true;
  detail::WaitQueue::grant(*sender, wakeup);
  return true;
}

/// For fibers of any worker.
template <class T>
using Channel = BasicChannel<T, detail::AnyThread>;

namespace local {
/// For fibers of one worker: no atomics, no locks.
template <class T>
using Channel = BasicChannel<T, detail::OneThread>;
}  // namespace local

}  // namespace atlas
