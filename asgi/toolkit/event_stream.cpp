#include <atlas/asgi/toolkit/event_stream.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/wait.hpp>

#include <fmt/format.h>

#include <iterator>
#include <stdexcept>
#include <system_error>

namespace atlas::asgi {
namespace {

constexpr std::string_view keep_alive_comment = ":\n\n";

void append_line(std::string& text, std::string_view name, std::string_view value) {
  if (value.find_first_of({"\r\n\0", 3}) != std::string_view::npos)
    throw std::invalid_argument(fmt::format("an event's {} is one line", name));
  fmt::format_to(std::back_inserter(text), "{}: {}\n", name, value);
}

/// CR, LF and CRLF each end a line.
void append_data(std::string& text, std::string_view data) {
  for (;;) {
    const auto end = data.find_first_of("\r\n");
    fmt::format_to(std::back_inserter(text), "data: {}\n", data.substr(0, end));
    if (end == std::string_view::npos) return;
    data.remove_prefix(end + (data.substr(end, 2) == "\r\n" ? 2 : 1));
  }
}

struct Closer {
  Channel<std::string>& queue;
  ~Closer() { queue.close(); }
};

/// Throws when it was not only the keep-alive's time that has passed.
void check_time_is_left() {
  const Wait wait({"event stream", nullptr});
  if (const auto over = wait.refusal()) throw std::system_error(over, "event stream");
}

/// What came in the queue, to its end; a comment whenever nothing comes for so long.
void send_queued(Channel<std::string>& queue, Duration keep_alive, BodyWriter& writer) {
  for (;;) {
    auto event = queue.receive(Deadline::after(keep_alive));
    if (!event) check_time_is_left();
    if (event && !*event) return;
    writer.write(event ? std::string_view(**event) : keep_alive_comment);
  }
}

}  // namespace

std::string to_text(const ServerSentEvent& event) {
  std::string text;
  if (!event.event.empty()) append_line(text, "event", event.event);
  if (!event.id.empty()) append_line(text, "id", event.id);
  if (event.retry) append_line(text, "retry", std::to_string(event.retry->count()));
  append_data(text, event.data);
  text += '\n';
  return text;
}

void EventSink::send(const ServerSentEvent& event) {
  const auto sent = queue_.send(to_text(event));
  if (!sent) throw Disconnected(sent.error());
}

// The request's fiber is the one that writes: what another has sent would wait for its next suspension.
void detail::EventStreamBody::send(HttpResponseStart& start, const Scope& scope, Send& send) {
  send(start);
  if (scope.method != "HEAD") {
    Channel<std::string> queue(options_.queued_max);
    FiberGroup producer;
    producer.spawn("events", [&] {
      const Closer closing{queue};
      EventSink sink(queue);
      produce(sink);
    });
    const Closer left{queue};  // before the producer is cancelled: it finds that nobody listens
    BodyWriter writer(send);
    writer.write("");  // the client hears at once that it is heard
    send_queued(queue, options_.keep_alive, writer);
    producer.join().value();
  }
  send(HttpResponseBody{});
}

Response detail::event_stream(std::unique_ptr<ResponseBody> body) {
  return Response(
      200, std::move(body),
      {{"content-type", "text/event-stream"}, {"cache-control", "no-store"}, {"x-accel-buffering", "no"}});
}

}  // namespace atlas::asgi
