// What RFC 9112 (HTTP/1.1) asks of an origin server, as the client of a whole connection sees it; as far as
// no other test holds it. docs/conformance.md has the list.
#include "support/http_harness.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpHarness;
using testing::plain_options;
using testing::read_body;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const std::string ok_and_close = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

std::string chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

void say_ok(const Scope&, Receive&, Send& send) { answer(send, "ok"); }

void echo(const Scope&, Receive& receive, Send& send) {
  if (const auto body = read_body(receive)) answer(send, *body);
}

std::string response_to(std::string_view request, Application application,
                        const ServerOptions& options = plain_options()) {
  HttpHarness harness(std::move(application), options);
  harness.send(request);
  return harness.received();
}

/// The response is complete and our direction closed; the client's is still read, for as long as it takes to
/// see the response.
void expect_refused_and_lingering(HttpHarness& harness, std::string_view status) {
  EXPECT_THAT(harness.received(), StartsWith("HTTP/1.1 " + std::string(status)));
  EXPECT_THAT(harness.received(), HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_FALSE(harness.client().closed());
  const auto before = harness.received();
  harness.send(std::string(100'000, 'x') + std::string(get_request));
  EXPECT_FALSE(harness.client().closed());
  EXPECT_FALSE(harness.client().was_reset());
  EXPECT_EQ(harness.received(), before) << "what comes behind a refused request was answered";
  harness.advance(ServerOptions{}.timeouts.linger);
  EXPECT_TRUE(harness.client().closed());
  EXPECT_FALSE(harness.client().was_reset());
}

// §2.3: whatever version a request has, the response has the server's.
TEST(Rfc9112, ResponsesSay11ToEveryClient) {
  EXPECT_THAT(response_to("GET / HTTP/1.0\r\n\r\n", say_ok), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(response_to("GET / HTTP/1.7\r\nHost: h\r\n\r\n", say_ok), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(response_to("GET / HTTP/2.0\r\nHost: h\r\n\r\n", say_ok), StartsWith("HTTP/1.1 505 "));
}

// §3: what stands between the parts of a request line is one space.
TEST(Rfc9112, OtherWhiteSpaceInTheRequestLineIs400) {
  for (std::string_view line : {"GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1",
                                "GET / HTTP/1.1 ", "GET /a b HTTP/1.1", "GET\v/ HTTP/1.1"}) {
    const auto response = response_to(std::string(line) + "\r\nHost: h\r\n\r\n", say_ok);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 400 ")) << line;
    EXPECT_THAT(response, HasSubstr("\r\nconnection: close\r\n")) << line;
  }
}

// §3.2.2: the absolute form is taken from everybody. Where Host says something else, we do not choose.
TEST(Rfc9112, AnAbsoluteTargetThatHostContradictsIs400) {
  const auto status_of = [](std::string_view target, std::string_view host) {
    const auto request =
        "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
    return response_to(request, say_ok).substr(9, 3);
  };
  EXPECT_EQ(status_of("http://h/a", "h"), "200");
  EXPECT_EQ(status_of("HTTP://H/a", "h"), "200");
  EXPECT_EQ(status_of("http://h:80/a", "h"), "200");
  EXPECT_EQ(status_of("http://h/a", "other"), "400");
  EXPECT_EQ(status_of("http://h:81/a", "h"), "400");
}

// §6.1: no transfer coding goes to who may not know of it, nor to where there is no body.
TEST(Rfc9112, NoTransferCodingWhereThereIsNoBodyOrNobodyKnowsIt) {
  const auto pieces = [](int status) {
    return [status](const Scope&, Receive&, Send& send) {
      send(HttpResponseStart{.status = status, .headers = {{"transfer-encoding", "chunked"}}});
      send(HttpResponseBody{.body = "o", .more_body = true});
      send(HttpResponseBody{.body = "k"});
    };
  };
  EXPECT_EQ(response_to(get_request, pieces(204)), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(response_to(get_request, pieces(304)), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(response_to("GET / HTTP/1.0\r\n\r\n", pieces(200)),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok");
}

// §6.2: a response has a length or a transfer coding, not both.
TEST(Rfc9112, LengthAndChunkedAreNotSentTogether) {
  EXPECT_EQ(
      response_to(
          get_request,
          [](const Scope&, Receive&, Send& send) {
            send(HttpResponseStart{.headers = {{"transfer-encoding", "chunked"}, {"content-length", "2"}}});
            send(HttpResponseBody{.body = "o", .more_body = true});
            send(HttpResponseBody{.body = "k"});
          }),
      ok);
}

// §6.3: a request of neither length nor coding has no body, whatever its method: the next one follows.
TEST(Rfc9112, ARequestWithoutFramingHasNoBody) {
  EXPECT_EQ(response_to("POST / HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(get_request), say_ok), ok + ok);
}

// §6.3: a response ends where its framing says, and the next begins there.
TEST(Rfc9112, ResponsesWithoutBodyAreFollowedByTheNext) {
  const auto by_path = [](const Scope& scope, Receive&, Send& send) {
    answer(send, "ok", scope.path == "/a" ? 204 : scope.path == "/b" ? 304 : 200);
  };
  EXPECT_EQ(response_to("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"
                        "HEAD /c HTTP/1.1\r\nHost: h\r\n\r\n" +
                            std::string(get_request),
                        by_path),
            "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" +
                ok);
}

// §7.1.2: trailers of a request end its body, and the next request follows them.
TEST(Rfc9112, TrailersOfARequestAreReadAndLeftOut) {
  EXPECT_EQ(response_to(chunked("2\r\nok\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n") + chunked("2\r\nok\r\n0\r\n\r\n"),
                        echo),
            ok + ok);
}

// §7.4: what codings a client would take does not make the server use one; only chunked is.
TEST(Rfc9112, NoOtherCodingThanChunkedIsSent) {
  EXPECT_EQ(response_to(get("TE: gzip, deflate;q=0.5\r\nConnection: TE\r\n"),
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{});
                          send(HttpResponseBody{.body = "o", .more_body = true});
                          send(HttpResponseBody{.body = "k"});
                        }),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n");
}

// §8: a request that breaks off is not taken for a whole one.
TEST(Rfc9112, ABodyThatBreaksOffIsNoBody) {
  for (const auto& request :
       {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel"s, chunked("5\r\nhel"),
        chunked("5\r\nhello\r\n"), chunked("5\r\nhello\r\n0\r\n")}) {
    bool whole = false;
    HttpHarness harness(
        [&](const Scope&, Receive& receive, Send&) { whole = read_body(receive).has_value(); });
    harness.client().send(request);
    harness.client().shutdown_write();
    harness.run();
    EXPECT_FALSE(whole) << request;
    EXPECT_EQ(harness.received(), "") << request;
    EXPECT_TRUE(harness.client().closed()) << request;
  }
}

// §9.3: who persists, by version and by what the client says.
TEST(Rfc9112, PersistenceFollowsVersionAndConnection) {
  struct Case {
    std::string_view request;
    std::string_view connection;  // the response's line
    bool open;
  };
  const std::vector<Case> cases{
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", "", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", "connection: close\r\n", false},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", "connection: close\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", "connection: close\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "connection: keep-alive\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "connection: close\r\n", false}};
  for (const auto& one : cases) {
    HttpHarness harness(say_ok);
    harness.send(one.request);
    EXPECT_EQ(harness.received(),
              "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n" + std::string(one.connection) + "\r\nok")
        << one.request;
    EXPECT_EQ(!harness.client().closed(), one.open) << one.request;
  }
}

// §9.3.2: pipelined requests are answered one after the other, also where the first takes longer.
TEST(Rfc9112, PipelinedAnswersKeepTheOrderOfTheRequests) {
  std::vector<std::string> begun;
  HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
    begun.emplace_back(scope.path);
    if (scope.path == "/slow") static_cast<void>(this_fiber::sleep_for(1s));
    answer(send, scope.path);
  });
  harness.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(harness.received(), "");
  EXPECT_THAT(begun, ElementsAre("/slow"));
  harness.advance(1s);
  EXPECT_EQ(harness.received(),
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n/slow"
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/b");
}

// §9.6: "close" from either side is the last word; what comes behind it is not served.
TEST(Rfc9112, NothingIsServedBehindACloseOfTheApplication) {
  std::size_t calls = 0;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    ++calls;
    send(HttpResponseStart{.headers = {{"connection", "close"}}});
    send(HttpResponseBody{.body = "ok"});
  });
  harness.send(std::string(get_request) + std::string(get_request));
  EXPECT_EQ(harness.received(), ok_and_close);
  EXPECT_EQ(calls, 1U);
  EXPECT_TRUE(harness.client().input_ended());
  EXPECT_FALSE(harness.client().closed()) << "who sent more than one request may be about to send others";
}

TEST(Rfc9112, NothingIsServedBehindACloseOfTheClient) {
  std::size_t calls = 0;
  HttpHarness harness([&](const Scope&, Receive&, Send& send) {
    ++calls;
    answer(send, "ok");
  });
  harness.send(get("Connection: close\r\n") + std::string(get_request));
  EXPECT_EQ(harness.received(), ok_and_close);
  EXPECT_EQ(calls, 1U);
  EXPECT_TRUE(harness.client().input_ended());
}

// §9.6 and RFC 9110 §15.5.9, §15.5.14: behind a refusal what the client still sends is read for a while, so
// that the response is not lost.
TEST(Rfc9112, ATimeoutIsFollowedByCloseAndWhatStillComesIsRead) {
  HttpHarness harness(say_ok);
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n");
  harness.advance(ServerOptions{}.timeouts.header);
  expect_refused_and_lingering(harness, "408");
}

TEST(Rfc9112, ATimeoutOfTheBodyIsFollowedByCloseAndWhatStillComesIsRead) {
  HttpHarness harness(echo);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
  harness.advance(ServerOptions{}.timeouts.body);
  expect_refused_and_lingering(harness, "408");
}

TEST(Rfc9112, ADeclaredBodyTooLargeIsFollowedByCloseAndWhatStillComesIsRead) {
  auto options = plain_options();
  options.limits.body_bytes_max = 10;
  HttpHarness harness(echo, options);
  harness.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
  expect_refused_and_lingering(harness, "413");
}

TEST(Rfc9112, ABodyThatGrowsTooLargeIsFollowedByCloseAndWhatStillComesIsRead) {
  auto options = plain_options();
  options.limits.body_bytes_max = 10;
  HttpHarness harness(echo, options);
  harness.send(chunked("a\r\n0123456789\r\n"));
  EXPECT_EQ(harness.received(), "");
  harness.send("a\r\n0123456789\r\n");
  expect_refused_and_lingering(harness, "413");
}

// §11.2: a request refused in the middle of its body gets one answer, and nothing that lies in the body is
// taken for a request.
TEST(Rfc9112, ABodyRefusedInItsMiddleHidesNoRequest) {
  std::size_t calls = 0;
  HttpHarness harness([&](const Scope& scope, Receive& receive, Send& send) {
    ++calls;
    echo(scope, receive, send);
  });
  harness.send(chunked("5\r\nhello\r\nnot a size\r\n" + std::string(get_request)));
  expect_refused_and_lingering(harness, "400");
  EXPECT_EQ(calls, 1U);
}

// §11.2: what an application leaves unread of a body is not taken for the next request.
TEST(Rfc9112, AnUnreadBodyHidesNoRequest) {
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::string_view method : {"POST", "GET", "DELETE", "BIND"}) {
    std::vector<std::string> paths;
    HttpHarness harness([&](const Scope& scope, Receive&, Send& send) {
      paths.emplace_back(scope.path);
      answer(send, "ok");
    });
    harness.send(std::string(method) + " /a HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                 std::to_string(hidden.size()) + "\r\n\r\n" + hidden + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(paths, ElementsAre("/a", "/b")) << method;
    EXPECT_EQ(harness.received(), ok + ok) << method;
  }
}

}  // namespace
}  // namespace atlas::asgi
