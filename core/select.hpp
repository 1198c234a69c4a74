// Waiting on several channels at a time, until one of them can go on.
#pragma once

#include <atlas/core/channel.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait_queue.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace atlas {

namespace detail {

/// What `select` may do with one of its cases. All but `guard`, `lock` and `finish` under the channel's
/// guard.
class SelectCase {
 public:
  SelectCase() = default;
  SelectCase(const SelectCase&) = delete;
  SelectCase& operator=(const SelectCase&) = delete;

  /// Guards are taken in the order of their addresses, each once.
  [[nodiscard]] virtual const void* guard() const noexcept = 0;
  virtual void lock() = 0;
  virtual void unlock() = 0;
  /// A number that grows with each select that begins with this case's channel.
  [[nodiscard]] virtual std::size_t next_turn() noexcept = 0;
  /// Sends or receives if that can be done now.
  [[nodiscard]] virtual bool attempt() noexcept = 0;
  virtual void enqueue(Wait& wait, Selection& selection) noexcept = 0;
  /// Whether it was served meanwhile.
  [[nodiscard]] virtual bool dequeue() noexcept = 0;
  /// Hands what came to the handler, after everything was let go of.
  [[nodiscard]] virtual std::error_code finish() = 0;

 protected:
  ~SelectCase() = default;
};

template <class T, class Sharing>
class ChannelCase : public SelectCase {
 public:
  explicit ChannelCase(BasicChannel<T, Sharing>& channel) noexcept : channel_(channel) {}

  [[nodiscard]] const void* guard() const noexcept final { return &channel_.sharing_; }
  void lock() final { channel_.sharing_.lock(); }
  void unlock() final { channel_.sharing_.unlock(); }
  [[nodiscard]] std::size_t next_turn() noexcept final { return channel_.selections_++; }

 protected:
  using Sender = typename BasicChannel<T, Sharing>::Sender;
  using Receiver = typename BasicChannel<T, Sharing>::Receiver;

  ~ChannelCase() = default;

  [[nodiscard]] bool channel_closed() const noexcept { return channel_.closed_; }
  [[nodiscard]] bool put(T& value) noexcept { return channel_.put(value, wakeup_); }
  [[nodiscard]] bool take(std::optional<T>& value) noexcept { return channel_.take(value, wakeup_); }
  [[nodiscard]] WaitQueue& senders() noexcept { return channel_.senders_; }
  [[nodiscard]] WaitQueue& receivers() noexcept { return channel_.receivers_; }
  void wake_partner() { wakeup_.fire(); }

 private:
  BasicChannel<T, Sharing>& channel_;
  typename Sharing::Wakeup wakeup_;
};

template <class T, class Sharing, class Handler>
class ReceiveCase final : public ChannelCase<T, Sharing> {
 public:
  ReceiveCase(BasicChannel<T, Sharing>& channel, Handler handler)
      : ChannelCase<T, Sharing>(channel), handler_(std::move(handler)) {}

  [[nodiscard]] bool attempt() noexcept override { return this->take(value_) || this->channel_closed(); }
  void enqueue(Wait& wait, Selection& selection) noexcept override {
    this->receivers().append(receiver_.emplace(wait, &selection));
  }
  [[nodiscard]] bool dequeue() noexcept override {
    receiver_->link.unlink();
    if (receiver_->granted && receiver_->value) value_.emplace(std::move(*receiver_->value));
    return receiver_->granted;
  }
  [[nodiscard]] std::error_code finish() override {
    this->wake_partner();
    static_cast<void>(handler_(std::move(value_)));
    return {};
  }

 private:
  Handler handler_;
  std::optional<T> value_;
  std::optional<typename ChannelCase<T, Sharing>::Receiver> receiver_;
};

template <class T, class Sharing, class Handler>
class SendCase final : public ChannelCase<T, Sharing> {
 public:
  SendCase(BasicChannel<T, Sharing>& channel, T& value, Handler handler)
      : ChannelCase<T, Sharing>(channel), value_(value), handler_(std::move(handler)) {}

  [[nodiscard]] bool attempt() noexcept override {
    if (this->channel_closed()) return true;
    sent_ = this->put(value_);
    return sent_;
  }
  void enqueue(Wait& wait, Selection& selection) noexcept override {
    this->senders().append(sender_.emplace(wait, value_, &selection));
  }
  [[nodiscard]] bool dequeue() noexcept override {
    sender_->link.unlink();
    sent_ = sender_->sent;
    return sender_->granted;
  }
  [[nodiscard]] std::error_code finish() override {
    this->wake_partner();
    if (!sent_) return std::make_error_code(std::errc::broken_pipe);
    static_cast<void>(handler_());
    return {};
  }

 private:
  T& value_;
  Handler handler_;
  bool sent_ = false;
  std::optional<typename ChannelCase<T, Sharing>::Sender> sender_;
};

template <class Handler>
struct OrElse {
  Handler handler;
};
template <class Case>
inline constexpr bool is_or_else = false;
template <class Handler>
inline constexpr bool is_or_else<OrElse<Handler>> = true;

enum class Patience : bool { none, until_deadline };

/// The index of the case that was served; `cases.size()` when none was and nothing may be waited for.
/// `lock_order` holds the same cases, in any order.
Result<std::size_t> serve_one(std::span<SelectCase* const> cases, std::span<SelectCase*> lock_order,
                              Patience patience, Deadline deadline);

template <class... Cases>
Result<std::size_t> select_among(Patience patience, Deadline deadline, Cases&... cases) {
  static_assert(sizeof...(cases) > 0, "select needs a channel");
  const std::array<SelectCase*, sizeof...(cases)> list{&cases...};
  auto lock_order = list;
  auto served = serve_one(list, lock_order, patience, deadline);
  if (!served || *served == list.size()) return served;
  if (const auto error = list[*served]->finish()) return Unexpected(error);
  return served;
}

template <std::size_t... I, class Cases>
Result<std::size_t> select_or_else(std::index_sequence<I...>, const Cases& cases) {
  auto served = select_among(Patience::none, Deadline(), std::get<I>(cases)...);
  if (served && *served == sizeof...(I)) static_cast<void>(std::get<sizeof...(I)>(cases).handler());
  return served;
}

}  // namespace detail

/// A case of `select`: receives from `channel` and calls `handler(std::optional<T>)`; none: the channel is
/// closed and empty. Cases are written where `select` is called, and live no longer.
template <class T, class Sharing, class Handler>
requires std::invocable<Handler&, std::optional<T>>
[[nodiscard]] auto on_receive(BasicChannel<T, Sharing>& channel, Handler handler) {
  return detail::ReceiveCase<T, Sharing, Handler>(channel, std::move(handler));
}

/// A case of `select`: sends `value`, which is moved from only if it was sent, and then calls `handler()`.
template <class T, class Sharing, class Handler>
requires std::invocable<Handler&>
[[nodiscard]] auto on_send(BasicChannel<T, Sharing>& channel, std::type_identity_t<T>&& value,
                           Handler handler) {
  return detail::SendCase<T, Sharing, Handler>(channel, value, std::move(handler));
}

/// The last case of a `select` that does not wait: what is done when no channel can go on at once.
template <std::invocable Handler>
[[nodiscard]] auto or_else(Handler handler) {
  return detail::OrElse<Handler>{std::move(handler)};
}

/// Suspends until one of the cases can go on, does that one and calls its handler; the others are as if
/// nothing had been. The answer is the number of the case, from 0. Of several that can go on at once, selects
/// that begin with the same channel take turns. The handler runs on this fiber and may suspend; what it
/// throws comes out. A channel may occur in several cases, local ones and others may be mixed. Errors:
/// timed_out, operation_canceled; broken_pipe when a send was chosen whose channel is closed.
///
///   select(Deadline::after(1s),
///          on_receive(jobs, [&](std::optional<Job> job) { ... }),
///          on_send(results, std::move(result), [&] { ... })).value();
template <class... Cases>
Result<std::size_t> select(Deadline deadline, Cases&&... cases) {
  return detail::select_among(detail::Patience::until_deadline, deadline, cases...);
}

/// Suspends, without a deadline of its own; or does not, when the last case is `or_else`.
template <class... Cases>
requires(!std::is_same_v<Deadline, std::remove_cvref_t<Cases>> &&
         ...) Result<std::size_t> select(Cases&&... cases) {
  if constexpr ((detail::is_or_else<std::remove_cvref_t<Cases>> || ...)) {
    return detail::select_or_else(std::make_index_sequence<sizeof...(cases) - 1>(), std::tie(cases...));
  } else {
    return detail::select_among(detail::Patience::until_deadline, Deadline(), cases...);
  }
}

}  // namespace atlas
