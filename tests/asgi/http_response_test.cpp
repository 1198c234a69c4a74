// Responses as they go out: framing, streaming, back-pressure, trailers and early hints.
#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::HttpHarness;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

std::string response_to(std::string_view request, Application application) {
  HttpHarness harness(std::move(application));
  harness.send(request);
  harness.advance(1min);
  return harness.received();
}

void two_pieces(const Scope&, Receive&, Send& send) {
  send(HttpResponseStart{});
  send(HttpResponseBody{.body = "one", .more_body = true});
  send(HttpResponseBody{.body = "two"});
}

TEST(HttpResponse, OfUnknownLengthIsChunked) {
  EXPECT_EQ(response_to(get_request, two_pieces),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
}

TEST(HttpResponse, OfUnknownLengthEndsWithTheConnectionForOldClients) {
  HttpHarness harness(two_pieces);
  harness.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo");
  EXPECT_TRUE(harness.client().closed());
}

TEST(HttpResponse, ApplicationsLengthHolds) {
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{.headers = {{"Content-Length", "6"}}});
                          send(HttpResponseBody{.body = "one", .more_body = true});
                          send(HttpResponseBody{.body = "two"});
                        }),
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nonetwo");
}

TEST(HttpResponse, EmptyPiecesAreNoChunks) {
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{});
                          send(HttpResponseBody{.more_body = true});
                          send(HttpResponseBody{.body = "one", .more_body = true});
                          send(HttpResponseBody{});
                        }),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n");
}

TEST(HttpResponse, ServerOwnsFraming) {
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{.headers = {{"Transfer-Encoding", "gzip"}, {"x-a", "b"}}});
                          send(HttpResponseBody{.body = "one"});
                        }),
            "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 3\r\n\r\none");
}

TEST(HttpResponse, ToHeadHasNoBody) {
  EXPECT_EQ(
      response_to("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                  [](const Scope&, Receive&, Send& send) { answer(send, "hello"); }),
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
}

TEST(HttpResponse, ToHeadOfUnknownLengthHasNoBody) {
  EXPECT_EQ(response_to("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", two_pieces),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST(HttpResponse, OfStatusesWithoutBodyHasNone) {
  const auto with_status = [](int status) {
    return [status](const Scope&, Receive&, Send& send) { answer(send, "ignored", status); };
  };
  EXPECT_EQ(response_to(get_request, with_status(204)), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(response_to(get_request, with_status(304)), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(HttpResponse, ApplicationsDateAndServerReplaceTheServers) {
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{.headers = {{"server", "mine"}}});
                          send(HttpResponseBody{});
                        }),
            "HTTP/1.1 200 OK\r\nserver: mine\r\ncontent-length: 0\r\n\r\n");
}

TEST(HttpResponse, HeadersMayDieWithTheCall) {
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          {
                            const std::string name(100, 'n');
                            const std::string value(1000, 'v');
                            send(HttpResponseStart{.headers = {{name, value}}});
                          }
                          send(HttpResponseBody{});
                        }),
            "HTTP/1.1 200 OK\r\n" + std::string(100, 'n') + ": " + std::string(1000, 'v') +
                "\r\ncontent-length: 0\r\n\r\n");
}

TEST(HttpStreaming, WhatWasSentIsOutBeforeTheFiberSleeps) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = "one", .more_body = true});
    static_cast<void>(this_fiber::sleep_for(1s));
    send(HttpResponseBody{.body = "two"});
  });
  harness.send(get_request);
  EXPECT_EQ(harness.take(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n");
  harness.advance(1s);
  EXPECT_EQ(harness.take(), "3\r\ntwo\r\n0\r\n\r\n");
}

TEST(HttpStreaming, ResponseIsOutBeforeTheNextHandlerWaits) {
  HttpHarness harness([](const Scope& scope, Receive&, Send& send) {
    if (scope.path == "/slow") static_cast<void>(this_fiber::sleep_for(1s));
    answer(send, "ok");
  });
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(harness.take(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  harness.advance(1s);
  EXPECT_EQ(harness.take(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

TEST(HttpStreaming, ResponseIsOutBeforeTheApplicationReturns) {
  HttpHarness harness([](const Scope&, Receive&, Send& send) {
    answer(send, "ok");
    static_cast<void>(this_fiber::sleep_for(1s));
  });
  harness.send(get_request);
  EXPECT_EQ(harness.received(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

TEST(HttpBackPressure, LargePieceWaitsForTheClient) {
  bool sent = false;
  constexpr std::size_t bytes = std::size_t{1} << 20;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    answer(send, std::string(bytes, 'x'));
    sent = true;
  });
  harness.client().stop_reading();
  harness.send(get_request);
  EXPECT_FALSE(sent);
  harness.client().resume_reading();
  harness.run();
  EXPECT_TRUE(sent);
  EXPECT_EQ(harness.received(),
            "HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n" + std::string(bytes, 'x'));
}

TEST(HttpBackPressure, SmallPiecesGatherUpToABoundThenSendSuspends) {
  constexpr std::size_t piece_bytes = 1024;
  constexpr std::size_t pieces = 1000;
  std::size_t sent = 0;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.headers = {{"content-length", std::to_string(pieces * piece_bytes)}}});
    for (; sent < pieces; ++sent) {
      send(HttpResponseBody{.body = std::string(piece_bytes, 'x'), .more_body = sent + 1 < pieces});
    }
  });
  harness.client().stop_reading();
  harness.send(get_request);
  const std::size_t bound_bytes =
      64 * 1024 + 64 * 1024 + 2 * piece_bytes;  // ours, the stream's, the piece at hand
  EXPECT_LE(sent * piece_bytes, bound_bytes);
  harness.client().resume_reading();
  harness.run();
  EXPECT_EQ(sent, pieces);
  const auto received = harness.received();
  EXPECT_EQ(received.size() - received.find("\r\n\r\n") - 4, pieces * piece_bytes);
}

TEST(HttpBackPressure, WhatCouldNotLeaveBeforeASleepFollowsDuringIt) {
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    for (int i = 0; i < 8; ++i) send(HttpResponseBody{.body = std::string(8000, 'x'), .more_body = true});
    static_cast<void>(this_fiber::sleep_for(1s));
    send(HttpResponseBody{.body = "end"});
  });
  auto client = harness.connect({.capacity_bytes = 1000});
  client.stop_reading();
  client.send(get_request);
  harness.run();
  client.resume_reading();
  harness.run();
  EXPECT_GT(client.received().size(), 64'000U);
  EXPECT_EQ(client.received().find("end"), std::string_view::npos);
  harness.advance(1s);
  EXPECT_TRUE(client.received().ends_with("3\r\nend\r\n0\r\n\r\n"));
}

TEST(HttpBackPressure, LargeChunksKeepTheirFrames) {
  const std::string piece(20'000, 'x');
  EXPECT_EQ(response_to(get_request,
                        [&](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{});
                          send(HttpResponseBody{.body = piece, .more_body = true});
                          send(HttpResponseBody{.body = piece});
                        }),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4e20\r\n" + piece + "\r\n4e20\r\n" + piece +
                "\r\n0\r\n\r\n");
}

void with_trailers(const Scope&, Receive&, Send& send) {
  send(HttpResponseStart{.trailers = true});
  send(HttpResponseBody{.body = "one"});
  send(HttpResponseTrailers{.headers = {{"x-a", "1"}}, .more_trailers = true});
  send(HttpResponseTrailers{.headers = {{"x-b", "2"}}});
}

TEST(HttpTrailers, GoToWhoAcceptsThem) {
  EXPECT_EQ(response_to("GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n", with_trailers),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n");
}

TEST(HttpTrailers, AreKeptFromWhoDoesNot) {
  EXPECT_EQ(response_to(get_request, with_trailers), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
}

TEST(HttpTrailers, AreKeptFromOldClients) {
  EXPECT_EQ(response_to("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n", with_trailers),
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\none");
}

TEST(HttpTrailers, OfOneResponseAreNotSentWithTheNext) {
  HttpHarness harness(with_trailers);
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n";
  harness.send(request);
  const auto first = harness.take();
  harness.send(request);
  EXPECT_EQ(harness.take(), first);
}

void with_hint(const Scope&, Receive&, Send& send) {
  send(HttpResponseEarlyHint{.links = {"</a.css>; rel=preload", "</b.js>; rel=preload"}});
  static_cast<void>(this_fiber::sleep_for(1s));
  send(HttpResponseStart{});
  send(HttpResponseEarlyHint{.links = {"</c.js>"}});
  send(HttpResponseBody{.body = "one"});
}

TEST(HttpEarlyHint, IsSentAtOnce) {
  HttpHarness harness(with_hint);
  harness.send(get_request);
  EXPECT_EQ(harness.take(),
            "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.js>; rel=preload\r\n\r\n");
  harness.advance(1s);
  EXPECT_EQ(
      harness.take(),
      "HTTP/1.1 103 Early Hints\r\nlink: </c.js>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
}

TEST(HttpEarlyHint, IsKeptFromOldClients) {
  EXPECT_EQ(response_to("GET / HTTP/1.0\r\n\r\n", with_hint),
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\none");
}

TEST(HttpPush, IsIgnored) {
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponsePush{.path = "/a.css"});
                          answer(send, "one");
                        }),
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
}

}  // namespace
}  // namespace atlas::asgi
