// Bodies of requests: streamed, asked for with "100 Continue", or left unread.
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::HttpHarness;
using testing::read_body;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const std::string ok_and_close = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

void echo(const Scope&, Receive& receive, Send& send) { answer(send, read_body(receive).value_or("(left)")); }
void ignore(const Scope&, Receive&, Send& send) { answer(send, "ok"); }

std::string post(std::size_t length, std::string_view more_fields = "") {
  return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(more_fields) + "\r\n";
}

std::string response(std::string_view body) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(HttpRequestBody, OfDeclaredLengthArrives) {
  HttpHarness harness(echo);
  harness.send(post(5) + "hello");
  EXPECT_EQ(harness.received(), response("hello"));
}

TEST(HttpRequestBody, IsDechunked) {
  HttpHarness harness(echo);
  harness.send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(harness.received(), response("hello!"));
}

TEST(HttpRequestBody, OfARequestWithoutOneIsEmptyAndEnds) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    const auto message = receive();
    const auto& piece = std::get<HttpRequest>(message);
    EXPECT_TRUE(piece.body.empty());
    EXPECT_FALSE(piece.more_body);
    answer(send, "ok");
  });
  harness.send(get_request);
  EXPECT_EQ(harness.received(), ok);
}

TEST(HttpRequestBody, IsHandedOnAsItArrives) {
  std::vector<std::string> pieces;
  HttpHarness harness([&](const Scope& scope, Receive& receive, Send& send) {
    for (bool more = true; more;) {
      const auto message = receive();
      const auto& piece = std::get<HttpRequest>(message);
      pieces.emplace_back(piece.body);
      more = piece.more_body;
    }
    EXPECT_EQ(scope.headers.find("x-kept"), "yes");  // the head's bytes outlive those of the body
    answer(send, "ok");
  });
  harness.send(post(9, "X-Kept: yes\r\n") + "one");
  EXPECT_EQ(pieces, (std::vector<std::string>{"one"}));
  harness.send("two");
  EXPECT_EQ(pieces, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(harness.received(), "");
  harness.send("end");
  EXPECT_EQ(pieces, (std::vector<std::string>{"one", "two", "end"}));
  EXPECT_EQ(harness.received(), ok);
}

TEST(HttpRequestBody, MayBeAnsweredWhileItArrives) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    send(HttpResponseStart{});
    for (bool more = true; more;) {
      const auto message = receive();
      const auto& piece = std::get<HttpRequest>(message);
      more = piece.more_body;
      send(HttpResponseBody{.body = piece.body, .more_body = more});
    }
  });
  harness.send(post(4) + "ab");
  EXPECT_EQ(harness.take(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n");
  harness.send("cd");
  EXPECT_EQ(harness.take(), "2\r\ncd\r\n0\r\n\r\n");
}

TEST(HttpRequestBody, LargeOneMovesThroughBoundedBuffers) {
  std::size_t bytes = 0;
  HttpHarness harness([&](const Scope&, Receive& receive, Send& send) {
    for (bool more = true; more;) {
      const auto message = receive();
      const auto& piece = std::get<HttpRequest>(message);
      bytes += piece.body.size();
      more = piece.more_body;
      this_fiber::yield();
    }
    answer(send, "ok");
  });
  constexpr std::size_t body_bytes = std::size_t{4} << 20;
  harness.send(post(body_bytes) + std::string(body_bytes, 'x'));
  EXPECT_EQ(bytes, body_bytes);
  EXPECT_EQ(harness.received(), ok);
}

TEST(HttpContinue, IsSentWhenTheApplicationFirstReceives) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(this_fiber::sleep_for(1s));
    answer(send, read_body(receive).value_or("(left)"));
  });
  harness.send(post(2, "Expect: 100-continue\r\n"));
  EXPECT_EQ(harness.take(), "");
  harness.advance(1s);
  EXPECT_EQ(harness.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  harness.send("ok");
  EXPECT_EQ(harness.take(), ok);
  EXPECT_FALSE(harness.client().closed());
}

TEST(HttpContinue, IsSentOnce) {
  HttpHarness harness(echo);
  harness.send(post(2, "Expect: 100-continue\r\n"));
  harness.send("o");
  harness.send("k");
  EXPECT_EQ(harness.received(), "HTTP/1.1 100 Continue\r\n\r\n" + ok);
}

TEST(HttpContinue, IsNotSentToWhoIsAnsweredAtOnceAndIsClosed) {
  HttpHarness harness(ignore);
  harness.send(post(2, "Expect: 100-continue\r\n"));
  EXPECT_EQ(harness.received(), ok_and_close);
  EXPECT_TRUE(harness.client().input_ended());
  harness.send(get_request);  // what comes now may be the body
  EXPECT_EQ(harness.received(), ok_and_close);
}

TEST(HttpContinue, IsNotSentToOldClients) {
  HttpHarness harness(echo);
  harness.send("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(harness.received(), "");
  harness.send("ok");
  EXPECT_EQ(harness.received(), ok_and_close);
}

TEST(HttpContinue, IsNotSentForARequestWithoutBody) {
  HttpHarness harness(echo);
  harness.send("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(harness.received(), response(""));
}

TEST(HttpUnreadBody, SmallOneIsDiscardedAndTheConnectionGoesOn) {
  HttpHarness harness(ignore);
  harness.send(post(5) + "hello" + std::string(get_request));
  EXPECT_EQ(harness.received(), ok + ok);
}

TEST(HttpUnreadBody, SmallOneMayComeAfterTheAnswer) {
  HttpHarness harness(ignore);
  harness.send(post(5));
  EXPECT_EQ(harness.take(), ok);
  harness.send("hello" + std::string(get_request));
  EXPECT_EQ(harness.take(), ok);
}

TEST(HttpUnreadBody, ChunkedOneIsDiscardedToo) {
  HttpHarness harness(ignore);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
               std::string(get_request));
  EXPECT_EQ(harness.received(), ok + ok);
}

TEST(HttpUnreadBody, OneAtTheBoundIsDiscarded) {
  auto options = testing::plain_options();
  options.discarded_body_bytes_max = 1000;
  HttpHarness harness(ignore, options);
  harness.send(post(1000) + std::string(1000, 'x') + std::string(get_request));
  EXPECT_EQ(harness.received(), ok + ok);
}

TEST(HttpUnreadBody, OnePastTheBoundClosesTheConnectionOnceTheClientHadTimeToRead) {
  auto options = testing::plain_options();
  options.discarded_body_bytes_max = 1000;
  HttpHarness harness(ignore, options);
  harness.send(post(100'000) + std::string(2000, 'x'));
  EXPECT_EQ(harness.received(), ok);
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_FALSE(harness.client().closed());
  harness.advance(options.timeouts.linger);
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpUnreadBody, HalfReadOneIsDiscarded) {
  HttpHarness harness([](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(receive());
    answer(send, "ok");
  });
  harness.send(post(6) + "abc");
  EXPECT_EQ(harness.take(), ok);
  harness.send("def" + std::string(get_request));
  EXPECT_EQ(harness.take(), ok);
}

TEST(HttpUnreadBody, ClientThatNeverSendsItIsClosed) {
  HttpHarness harness(ignore);
  harness.send(post(5));
  harness.advance(30s);  // Timeouts::body
  EXPECT_EQ(harness.received(), ok);
  EXPECT_TRUE(harness.client().input_ended());
  harness.advance(2s);
  EXPECT_TRUE(harness.client().closed());
}

}  // namespace
}  // namespace atlas::asgi
