// Server-sent events (HTML Living Standard §9.2): a response that goes on telling. A producer says what
// happens; a comment keeps the connection alive while nothing does.
#pragma once

#include <atlas/asgi/toolkit/response.hpp>
#include <atlas/core/channel.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::asgi {

/// Text of any number of lines; `event` and `id` are one line each.
struct ServerSentEvent {
  std::string_view data;
  std::string_view event = {};  ///< What the page listens for; "message" when it is empty.
  std::string_view id = {};     ///< What the client says when it comes again, in `last-event-id`.
  std::optional<std::chrono::milliseconds> retry = {};  ///< How long the client waits before it comes again.
};

/// As it is sent. Throws std::invalid_argument when `event` or `id` has a line break, or `id` a NUL.
[[nodiscard]] std::string to_text(const ServerSentEvent& event);

struct EventStreamOptions {
  /// A comment is sent when nothing was for so long, so that proxies keep the connection open and a client
  /// that has gone is noticed.
  Duration keep_alive = std::chrono::seconds(15);
  std::size_t queued_max =
      16;  ///< Events that were sent and that the client has not taken; then `send` waits.
};

/// Where a producer's events go.
class EventSink {
 public:
  explicit EventSink(Channel<std::string>& queue) : queue_(queue) {}

  /// **Suspends** while too many are queued. Throws Disconnected once the client is gone.
  void send(const ServerSentEvent& event);
  void send(std::string_view data) { send(ServerSentEvent{.data = data}); }

 private:
  Channel<std::string>& queue_;
};

namespace detail {

class EventStreamBody : public ResponseBody {
 public:
  explicit EventStreamBody(const EventStreamOptions& options) : options_(options) {}
  void send(HttpResponseStart& start, const Scope& scope, Send& send) final;

 private:
  virtual void produce(EventSink& sink) = 0;
  EventStreamOptions options_;
};

template <class Producer>
class EventsOf final : public EventStreamBody {
 public:
  EventsOf(Producer&& producer, const EventStreamOptions& options)
      : EventStreamBody(options), producer_(std::move(producer)) {}

 private:
  void produce(EventSink& sink) override { producer_(sink); }
  Producer producer_;
};

[[nodiscard]] Response event_stream(std::unique_ptr<ResponseBody> body);

}  // namespace detail

/// `produce(EventSink&)` runs on a fiber of its own, beside the request's: what it refers to must live until
/// the response has ended. The response ends when it returns. When the client leaves, its waits are cancelled
/// and its sends throw Disconnected. `last-event-id` is a header of the request.
template <class Producer>
[[nodiscard]] Response event_stream(Producer produce, const EventStreamOptions& options = {}) {
  return detail::event_stream(std::make_unique<detail::EventsOf<Producer>>(std::move(produce), options));
}

}  // namespace atlas::asgi
