// What RFC 9110 (HTTP Semantics) asks of an origin server, as the client of a whole connection sees it; as
// far as no other test holds it. docs/conformance.md has the list.
#include "support/http_harness.hpp"
#include "support/static_folder.hpp"

#include <atlas/core/event.hpp>

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::answer;
using ::testing::HasSubstr;
using testing::HttpHarness;
using ::testing::Not;
using testing::plain_options;
using testing::read_body;
using ::testing::StartsWith;
using testing::StaticFolder;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

std::string response_to(std::string_view request, Application application,
                        const ServerOptions& options = plain_options()) {
  HttpHarness harness(std::move(application), options);
  harness.send(request);
  return harness.received();
}

std::string head_of(const std::string& response) { return response.substr(0, response.find("\r\n\r\n") + 4); }

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size()) ++found;
  return found;
}

void say_ok(const Scope&, Receive&, Send& send) { answer(send, "ok"); }

void read_and_say_ok(const Scope&, Receive& receive, Send& send) {
  if (read_body(receive)) answer(send, "ok");
}

Application with_headers(int status, const Headers& headers, std::string_view body = {}) {
  return [=](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.status = status, .headers = headers});
    send(HttpResponseBody{.body = body});
  };
}

/// One response of `status`, and one date in it.
void expect_dated(std::string_view status, std::string_view responses) {
  EXPECT_THAT(std::string(responses), StartsWith("HTTP/1.1 " + std::string(status)));
  EXPECT_EQ(count(responses, "HTTP/1.1 "), 1U) << responses;
  EXPECT_EQ(count(responses, "\r\ndate: "), 1U) << responses;
}

void expect_dated(std::string_view status, std::string_view request, const Application& application,
                  const ServerOptions& options = plain_options()) {
  HttpHarness harness(application, options);
  harness.send(request);
  harness.advance(1min);
  expect_dated(status, harness.client().received());
}

// §4.2.4: a name and a password in a target are an error.
TEST(Rfc9110, UserinfoInATargetIs400) {
  for (std::string_view authority : {"user@h", "user:pass@h", "@h"}) {
    const auto request = "GET http://" + std::string(authority) + "/ HTTP/1.1\r\nHost: h\r\n\r\n";
    EXPECT_THAT(response_to(request, say_ok), StartsWith("HTTP/1.1 400 ")) << authority;
  }
}

// §5.3: lines of one name are one list; their order is kept.
TEST(Rfc9110, LinesOfOneNameAreOneList) {
  EXPECT_THAT(response_to(get("Connection: x\r\nConnection: y, close\r\n"), say_ok),
              HasSubstr("\r\nconnection: close\r\n"));
}

// §5.5: the application cannot put a line of its own into a head, an interim head or a trailer section.
TEST(Rfc9110, ValuesThatWouldSplitAResponseAreNeverSent) {
  const std::string split = "a\r\nset-cookie: stolen=1\r\n\r\nHTTP/1.1 200 OK";
  for (const auto& value : {split, std::string("a\nset-cookie: b"), std::string("a\rset-cookie: b"),
                            std::string("a\0set-cookie: b", 15)}) {
    const auto in_head = response_to(get_request, with_headers(200, {{"x-a", value}}));
    EXPECT_THAT(in_head, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(in_head, Not(HasSubstr("set-cookie")));
    const auto in_hint = response_to(get_request, [&](const Scope&, Receive&, Send& send) {
      send(HttpResponseEarlyHint{.links = {value}});
    });
    EXPECT_THAT(in_hint, Not(HasSubstr("set-cookie")));
    const auto in_trailers = response_to(get("TE: trailers\r\n"), [&](const Scope&, Receive&, Send& send) {
      send(HttpResponseStart{.trailers = true});
      send(HttpResponseBody{.body = "ok"});
      send(HttpResponseTrailers{.headers = {{"x-a", value}}});
    });
    EXPECT_THAT(in_trailers, Not(HasSubstr("set-cookie")));
  }
}

// §5.6.1: empty elements of a list are skipped.
TEST(Rfc9110, EmptyListElementsAreSkipped) {
  EXPECT_THAT(response_to(get("Connection: ,, close ,\t,\r\n"), say_ok),
              HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_THAT(
      response_to("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: , 100-continue,\r\n\r\n",
                  read_and_say_ok),
      StartsWith("HTTP/1.1 100 "));
}

// §6.5.1: trailers of a request are not taken for its headers.
TEST(Rfc9110, TrailersOfARequestDoNotReachItsHeaders) {
  std::size_t headers = 0;
  const auto response = response_to(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Role: admin\r\n\r\n",
      [&](const Scope& scope, Receive& receive, Send& send) {
        EXPECT_EQ(read_body(receive), "ab");
        headers = scope.headers.size();
        EXPECT_FALSE(scope.headers.contains("x-role"));
        answer(send, "ok");
      });
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(headers, 2U);
}

// §6.6.1: each response of a server that has a clock has a date.
TEST(Rfc9110, ApplicationsResponsesHaveADate) {
  for (const int status : {200, 204, 205, 301, 304, 404, 500, 503})
    expect_dated(std::to_string(status), get_request, with_headers(status, {}));
  expect_dated("200", "GET / HTTP/1.0\r\n\r\n", say_ok);
  expect_dated("200", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", say_ok);
}

TEST(Rfc9110, TheServersOwnResponsesHaveADate) {
  auto options = plain_options();
  options.limits.request_line_bytes_max = 100;
  options.limits.header_bytes_max = 100;
  options.limits.body_bytes_max = 100;
  const auto long_text = std::string(100, 'a');
  expect_dated("204", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", say_ok);
  expect_dated("400", "oops\r\n\r\n", say_ok);
  expect_dated("400", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", say_ok);
  expect_dated("408", "GET / HTTP/1.1\r\n", say_ok);
  expect_dated("408", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na", read_and_say_ok);
  expect_dated("413", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", say_ok, options);
  expect_dated("414", "GET /" + long_text + " HTTP/1.1\r\n\r\n", say_ok, options);
  expect_dated("417", get("Expect: tea\r\n"), say_ok);
  expect_dated("431", get("A: " + long_text + "\r\n"), say_ok, options);
  expect_dated("500", get_request, [](const Scope&, Receive&, Send&) { throw std::runtime_error("broken"); });
  expect_dated("501", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", say_ok);
  expect_dated("505", "GET / HTTP/2.0\r\n\r\n", say_ok);
}

TEST(Rfc9110, AnOverdueApplicationsResponseHasADate) {
  auto options = plain_options();
  options.timeouts.request = 1s;
  expect_dated(
      "503", get_request, [](const Scope&, Receive&, Send&) { static_cast<void>(this_fiber::sleep_for(1h)); },
      options);
}

TEST(Rfc9110, ARefusedConnectionsResponseHasADate) {
  auto options = plain_options();
  options.connection_limits.connections_max = 1;
  Event may_go_on;
  HttpHarness harness(
      [&](const Scope&, Receive&, Send& send) {
        static_cast<void>(may_go_on.wait());
        answer(send, "ok");
      },
      options);
  harness.send(get_request);
  auto second = harness.connect();
  harness.run();
  expect_dated("503", second.received());
  may_go_on.set();
  harness.run();
}

TEST(Rfc9110, ADateOfTheApplicationIsTheOnlyOne) {
  HttpHarness harness(with_headers(200, {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
  harness.send(get_request);
  const std::string received(harness.client().received());
  EXPECT_THAT(received, HasSubstr("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  EXPECT_THAT(received, Not(HasSubstr("\r\ndate: ")));
}

// §7.4: a target of another scheme than the connection's is not served, nor is what follows it.
TEST(Rfc9110, ATargetOfAnotherSchemeIs421) {
  std::size_t calls = 0;
  for (std::string_view target : {"https://h/", "HTTPS://h:443/", "https://h"}) {
    const auto line = "POST " + std::string(target) + " HTTP/1.1\r\n";
    const auto responses =
        response_to(line + "Host: h\r\nContent-Length: 2\r\n\r\nhi" + std::string(get_request),
                    [&](const Scope&, Receive&, Send&) { ++calls; });
    EXPECT_THAT(responses, StartsWith("HTTP/1.1 421 Misdirected Request\r\n")) << target;
    EXPECT_THAT(responses, HasSubstr("\r\nconnection: close\r\n")) << target;
    EXPECT_EQ(count(responses, "HTTP/1.1 "), 1U) << target;
  }
  EXPECT_EQ(calls, 0U);
  EXPECT_THAT(response_to("OPTIONS https://h HTTP/1.1\r\nHost: h\r\n\r\n", say_ok),
              StartsWith("HTTP/1.1 421 "));
}

TEST(Rfc9110, ATargetOfTheConnectionsSchemeIsServedInAnyCase) {
  EXPECT_THAT(response_to("GET HTTP://h/ HTTP/1.1\r\nHost: h\r\n\r\n", say_ok), StartsWith("HTTP/1.1 200 "));
}

// §7.6.1: what the application says of the connection, but for "close", is not sent.
TEST(Rfc9110, ConnectionIsTheServersToSay) {
  EXPECT_EQ(response_to(get_request, with_headers(200, {{"Connection", "keep-alive, x-a"}})),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(response_to("GET / HTTP/1.0\r\n\r\n", with_headers(200, {{"Connection", "keep-alive"}})),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

// §7.8: the server changes to no other protocol, also where the application would like to.
TEST(Rfc9110, NoUpgradeIs101) {
  for (std::string_view fields :
       {"Connection: upgrade\r\nUpgrade: websocket\r\n", "Connection: Upgrade\r\nUpgrade: h2c, foo/1\r\n",
        "Connection: upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n", "Upgrade: websocket\r\n"}) {
    EXPECT_EQ(response_to(get(fields), say_ok), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    EXPECT_THAT(response_to(get(fields), with_headers(101, {{"upgrade", "websocket"}})),
                StartsWith("HTTP/1.1 500 "));
  }
}

// §7.8 and §15.5.22: who sends Upgrade names it in Connection.
TEST(Rfc9110, AnUpgradeFieldOfTheApplicationIsNamedInConnection) {
  EXPECT_EQ(response_to(get_request, with_headers(426, {{"upgrade", "foo/2"}, {"connection", "upgrade"}})),
            "HTTP/1.1 426 Upgrade Required\r\nupgrade: foo/2\r\ncontent-length: 0\r\n"
            "connection: upgrade\r\n\r\n");
}

// §8.6: no length where there can be no body; that of a GET where there could.
TEST(Rfc9110, NoContentHasNoLength) {
  EXPECT_EQ(response_to(get_request, with_headers(204, {{"content-length", "5"}}, "hello")),
            "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Rfc9110, NotModifiedHasNoBodyAndMayHaveALength) {
  EXPECT_EQ(response_to(get_request, with_headers(304, {{"content-length", "5"}}, "hello")),
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(response_to(get_request, with_headers(304, {}, "hello")), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(Rfc9110, AnotherLengthThanTheBodysIsNotSent) {
  for (std::string_view length : {"4", "6", "5, 5", "-5", ""}) {
    EXPECT_THAT(response_to(get_request, with_headers(200, {{"content-length", length}}, "hello")),
                StartsWith("HTTP/1.1 500 "))
        << length;
  }
  EXPECT_THAT(response_to(get_request,
                          with_headers(200, {{"content-length", "5"}, {"Content-Length", "5"}}, "hello")),
              StartsWith("HTTP/1.1 500 "));
}

// §9.3.2: what HEAD is answered is what GET is answered, without the body.
TEST(Rfc9110, HeadIsAnsweredWithTheFieldsOfGet) {
  const std::vector<Application> applications{
      say_ok,
      with_headers(404, {{"content-type", "text/plain"}}, "none"),
      with_headers(200, {{"content-length", "2"}}, "ok"),
      with_headers(204, {}),
      with_headers(304, {}),
      [](const Scope&, Receive&, Send& send) {
        send(HttpResponseStart{});
        send(HttpResponseBody{.body = "in ", .more_body = true});
        send(HttpResponseBody{.body = "pieces"});
      },
      [](const Scope&, Receive&, Send&) { throw std::runtime_error("broken"); }};
  for (const auto& application : applications) {
    const auto expected = head_of(response_to(get_request, application));
    EXPECT_EQ(response_to("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", application), expected);
  }
}

TEST(Rfc9110, HeadOfAFileIsAnsweredWithTheFieldsOfGet) {
  const StaticFolder folder;
  folder.write("a.txt", "hello");
  const auto whole = folder.request("GET", "/a.txt");
  const auto head = folder.request("HEAD", "/a.txt");
  EXPECT_EQ(whole.body, "hello");
  EXPECT_EQ(head.head, whole.head);
  EXPECT_EQ(head.body, "");
}

TEST(Rfc9110, ARefusedHeadHasNoBodyWhateverWasWrong) {
  auto options = plain_options();
  options.limits.request_line_bytes_max = 100;
  const auto no_body = [&](const std::string& request) {
    HttpHarness harness(say_ok, options);
    harness.send(request);
    harness.advance(10s);  // Timeouts::header
    const auto received = harness.received();
    EXPECT_THAT(received, HasSubstr("\r\nconnection: close\r\n")) << request;
    EXPECT_THAT(received, HasSubstr("\r\ncontent-length: ")) << request;
    EXPECT_EQ(received, head_of(received)) << request;
  };
  no_body("HEAD / HTTP/1.1\r\n\r\n");
  no_body("HEAD / HTTP/1.1\r\nHost: h\r\nbad line\r\n\r\n");
  no_body("HEAD / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n");
  no_body("HEAD /%zz HTTP/1.1\r\nHost: h\r\n\r\n");
  no_body("HEAD / HTTP/2.0\r\n\r\n");
  no_body("HEAD /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
  no_body("HEAD / HTTP/1.1\r\nHost: h\r\n");
}

// §9.3.7: "OPTIONS *" and its absolute form are about the server.
TEST(Rfc9110, OptionsOfAnAuthorityAreTheServers) {
  EXPECT_EQ(response_to("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n", say_ok),
            "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_THAT(response_to("OPTIONS http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", say_ok),
              StartsWith("HTTP/1.1 200 "));
}

// §9.3.8: what a client sends, its secrets among it, does not come back.
TEST(Rfc9110, TraceDoesNotReflectTheRequest) {
  EXPECT_THAT(response_to("TRACE / HTTP/1.1\r\nHost: h\r\nCookie: secret\r\n\r\n", say_ok),
              Not(HasSubstr("secret")));
}

// §10.1.1: expectations other than 100-continue are not met, in whatever company.
TEST(Rfc9110, OtherExpectationsAre417AndClose) {
  for (std::string_view value : {"tea", "100-continue, tea", "100-continue=1", "101-continue"}) {
    const auto response = response_to(get("Expect: " + std::string(value) + "\r\n"), say_ok);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 417 Expectation Failed\r\n")) << value;
    EXPECT_THAT(response, HasSubstr("\r\nconnection: close\r\n")) << value;
  }
}

TEST(Rfc9110, ExpectationsAreReadInAnyCase) {
  EXPECT_THAT(response_to("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nEXPECT: 100-Continue\r\n\r\n",
                          read_and_say_ok),
              StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
}

TEST(Rfc9110, ABodyThatIsThereNeedsNoContinue) {
  EXPECT_EQ(
      response_to("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n", say_ok),
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

// §10.1.4 and §6.5.1: trailers are for clients that say so.
TEST(Rfc9110, TrailersAreSentOnlyToWhoSaysTrailers) {
  const auto with_trailer = [](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.trailers = true});
    send(HttpResponseBody{.body = "ok"});
    send(HttpResponseTrailers{.headers = {{"x-sum", "1"}}});
  };
  for (std::string_view te :
       {"TE: trailers\r\n", "TE: gzip;q=0.5, Trailers\r\n", "TE: gzip\r\nTE: trailers\r\n"})
    EXPECT_THAT(response_to(get(te), with_trailer), HasSubstr("\r\n0\r\nx-sum: 1\r\n\r\n")) << te;
  for (std::string_view te : {"", "TE:\r\n", "TE: gzip\r\n", "TE: xtrailers\r\n", "Trailer: x-sum\r\n"})
    EXPECT_EQ(response_to(get(te), with_trailer), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") << te;
}

// §10.2.4: the server's name is the operator's to say, or to keep.
TEST(Rfc9110, TheServersNameIsAnOption) {
  auto options = plain_options();
  EXPECT_THAT(response_to(get_request, say_ok, options), Not(HasSubstr("server:")));
  options.server_name = "shop";
  EXPECT_THAT(response_to(get_request, say_ok, options), HasSubstr("\r\nserver: shop\r\n"));
  EXPECT_THAT(response_to("oops\r\n\r\n", say_ok, options), HasSubstr("\r\nserver: shop\r\n"));
}

// §15.2: an interim response is never the last one, and old clients get none.
TEST(Rfc9110, AnInterimStatusIsNoResponse) {
  for (const int status : {100, 101, 102, 103, 199})
    EXPECT_THAT(response_to(get_request, with_headers(status, {})), StartsWith("HTTP/1.1 500 ")) << status;
}

// §15.3.6: 205 is framed like any other and has no content.
TEST(Rfc9110, ResetContentHasNoContentAndSaysSo) {
  const std::string expected = "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n";
  EXPECT_EQ(response_to(get_request, with_headers(205, {}, "hello")), expected);
  EXPECT_EQ(response_to(get_request, with_headers(205, {{"content-length", "5"}}, "hello")), expected);
  EXPECT_EQ(response_to(get_request,
                        [](const Scope&, Receive&, Send& send) {
                          send(HttpResponseStart{.status = 205});
                          send(HttpResponseBody{.body = "in ", .more_body = true});
                          send(HttpResponseBody{.body = "pieces"});
                        }),
            expected);
}

// §15.5 and §15.6: the server's own errors say what they are, also to people.
TEST(Rfc9110, TheServersErrorsExplainThemselves) {
  EXPECT_EQ(response_to("GET / HTTP/3.0\r\n\r\n", say_ok),
            "HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-type: text/plain; charset=utf-8\r\n"
            "content-length: 31\r\nconnection: close\r\n\r\n505 HTTP Version Not Supported\n");
}

// §15.5.12: a body without a declared length is taken, as chunks: there is no 411.
TEST(Rfc9110, ABodyNeedsNoDeclaredLength) {
  EXPECT_THAT(
      response_to("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
                  read_and_say_ok),
      StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(response_to("POST / HTTP/1.1\r\nHost: h\r\n\r\n", read_and_say_ok),
              StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace atlas::asgi
