// Server-sent events: their text, and the stream that carries them.
#include <atlas/asgi/toolkit/event_stream.hpp>

#include "support/http_harness.hpp"

#include <atlas/core/fiber.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace atlas::event_stream_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

TEST(ServerSentEvent, HasALineForEachMember) {
  EXPECT_EQ(to_text({.data = "hello", .event = "greeting", .id = "7", .retry = 2s}),
            "event: greeting\nid: 7\nretry: 2000\ndata: hello\n\n");
}

TEST(ServerSentEvent, EachLineOfTheDataIsOne) {
  EXPECT_EQ(to_text({.data = "a\nb\r\nc\rd\n"}), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
  EXPECT_EQ(to_text({.data = ""}), "data: \n\n");
}

TEST(ServerSentEvent, NamesThatWouldForgeALineAreRefused) {
  EXPECT_THROW(static_cast<void>(to_text({.data = "", .event = "a\ndata: b"})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(to_text({.data = "", .id = "a\r"})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(to_text({.data = "", .id = {"a\0", 2}})), std::invalid_argument);
}

/// A client that has asked for the events of `produce`.
template <class Producer>
class Listening {
 public:
  explicit Listening(Producer produce, const EventStreamOptions& options = {})
      : harness_([produce, options](const Scope& scope, Receive&, Send& send) {
          event_stream(produce, options).send(scope, send);
        }) {
    harness_.send("GET / HTTP/1.0\r\n\r\n");
  }

  /// What has come since the last time.
  std::string take() { return harness_.take(); }
  testing::HttpHarness& harness() { return harness_; }

 private:
  testing::HttpHarness harness_;
};

constexpr std::string_view head =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: "
    "no\r\n"
    "connection: close\r\n\r\n";

TEST(EventStream, AnEventArrivesWhenItIsSent) {
  Listening client([](EventSink& events) {
    events.send("one");
    static_cast<void>(this_fiber::sleep_for(1s));
    events.send("two");
  });
  EXPECT_EQ(client.take(), std::string(head) + "data: one\n\n");
  client.harness().advance(1s);
  EXPECT_EQ(client.take(), "data: two\n\n");
  EXPECT_EQ(client.harness().connections_open(), 0U);
}

TEST(EventStream, ACommentKeepsAQuietConnectionAlive) {
  Listening client([](EventSink&) { static_cast<void>(this_fiber::sleep_for(25s)); }, {.keep_alive = 10s});
  static_cast<void>(client.take());
  client.harness().advance(10s);
  EXPECT_EQ(client.take(), ":\n\n");
  client.harness().advance(10s);
  EXPECT_EQ(client.take(), ":\n\n");
  client.harness().advance(5s);
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(client.harness().connections_open(), 0U);
}

TEST(EventStream, WhatTheProducerThrowsCutsTheResponse) {
  Listening client([](EventSink& events) {
    events.send("one");
    throw std::runtime_error("the source is gone");
  });
  EXPECT_EQ(client.take(), std::string(head) + "data: one\n\n");
  EXPECT_EQ(client.harness().counters().application_failures.get(), 1U);
}

TEST(EventStream, TheProducerIsCancelledWhenTheClientHasGone) {
  bool cancelled = false;
  Listening client(
      [&](EventSink& events) {
        const auto slept = this_fiber::sleep_for(1h);
        cancelled = !slept && slept.error() == std::errc::operation_canceled;
        EXPECT_THROW(events.send("too late"), Disconnected);
      },
      {.keep_alive = 10s});
  client.harness().client().reset();
  client.harness().advance(10s);
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(client.harness().connections_open(), 0U);
}

TEST(EventStream, HeadDoesNotStartTheProducer) {
  bool started = false;
  testing::HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    event_stream([&](EventSink&) { started = true; }).send(scope, send);
  });
  harness.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_TRUE(harness.received().starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"));
  EXPECT_FALSE(started);
}

}  // namespace
}  // namespace atlas::event_stream_test
