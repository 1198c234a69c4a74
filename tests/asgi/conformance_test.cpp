// The conformance kit: what keeps the contract passes, and each way to break it is found.
#include "support/captured_log.hpp"
#include "support/random.hpp"

#include <atlas/asgi/conformance/application_check.hpp>
#include <atlas/asgi/conformance/probe.hpp>
#include <atlas/asgi/conformance/response_judge.hpp>
#include <atlas/asgi/conformance/server_check.hpp>
#include <atlas/asgi/server.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace atlas::conformance_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr char every_message[] = "every message is valid, and in its place";

void answer(Send& send, int status = 200) {
  send(HttpResponseStart{.status = status});
  send(HttpResponseBody{.body = "ok"});
}

template <class Handler>
Application http_only(Handler handler) {
  return [handler = std::move(handler)](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    handler(scope, receive, send);
  };
}

/// "promise: detail" of what is broken.
std::vector<std::string> broken(const ConformanceReport& report) {
  std::vector<std::string> texts;
  for (const auto& finding : report.findings())
    if (finding.verdict == Verdict::broken) texts.push_back(finding.promise + ": " + finding.detail);
  return texts;
}

const ConformanceRequest post{.method = "POST", .headers = {{"content-length", "4"}}, .body = "body"};

/// What is found of an application that is asked for one thing.
std::vector<std::string> broken(const Application& application, const ConformanceRequest& request = {}) {
  return broken(check_application(application, {request}));
}

// ---- applications ----

TEST(ApplicationCheck, AnApplicationThatKeepsTheContractPasses) {
  const auto report = check_application(http_only([](const Scope&, Receive&, Send& send) { answer(send); }));
  EXPECT_THAT(broken(report), ::testing::ElementsAre());
  EXPECT_TRUE(report.conforms());
  EXPECT_EQ(report.count(Verdict::not_checked), 0U);
}

TEST(ApplicationCheck, ARouterWithStreamsAndBodiesPasses) {
  Router router;
  router.get("/", [] { return "hello"; });
  router.post("/", [](Request& request) { return request.text(); });
  EXPECT_THAT(broken(check_application(router)), ::testing::ElementsAre());
}

TEST(ApplicationCheck, NothingThatWasCheckedConformsToNothing) {
  EXPECT_FALSE(ConformanceReport().conforms());
}

struct Sinner {
  const char* name;
  std::function<void(const Scope&, Receive&, Send&)> serve;
  const char* promise;
  const char* detail;
  ConformanceRequest request = {};
};

void PrintTo(const Sinner& sinner, std::ostream* out) { *out << sinner.name; }

class ApplicationFault : public ::testing::TestWithParam<Sinner> {};

TEST_P(ApplicationFault, IsFound) {
  const auto& sinner = GetParam();
  const auto found = broken(http_only(sinner.serve), sinner.request);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), std::string(sinner.promise) + ": " + sinner.detail);
}

const std::vector<Sinner> sinners = {
    {"BodyFirst", [](const Scope&, Receive&, Send& send) { send(HttpResponseBody{}); }, every_message,
     "'http.response.body' was sent before 'http.response.start'"},
    {"BreachThatIsCaught",
     [](const Scope&, Receive&, Send& send) {
       try {
         send(HttpResponseBody{});
       } catch (const ContractError&) {
       }
       answer(send);
     },
     every_message, "'http.response.body' was sent before 'http.response.start'"},
    {"InterimStatus", [](const Scope&, Receive&, Send& send) { answer(send, 102); }, every_message,
     "'http.response.start' has status 102, which is no final one"},
    {"SplitHeader",
     [](const Scope&, Receive&, Send& send) {
       send(HttpResponseStart{.headers = {{"x-a", "1\r\nx-b: 2"}}});
     },
     every_message, "'http.response.start' has a header 'x-a': header value has a control character"},
    {"WrongLength",
     [](const Scope&, Receive&, Send& send) {
       send(HttpResponseStart{.headers = {{"content-length", "3"}}});
       send(HttpResponseBody{.body = "ok"});
     },
     every_message, "'http.response.body' ends a body of 2 bytes, but content-length said 3"},
    {"Throws", [](const Scope&, Receive&, Send&) { throw std::runtime_error("no"); }, "it does not throw",
     "no"},
    {"ReturnsAtOnce", [](const Scope&, Receive&, Send&) {}, "the response is complete when it returns",
     "it ended before 'http.response.start'"},
    {"Unfinished",
     [](const Scope&, Receive&, Send& send) {
       send(HttpResponseStart{});
       send(HttpResponseBody{.body = "o", .more_body = true});
     },
     "the response is complete when it returns", "it ended after 'http.response.body' with more_body"},
    {"Sleeps",
     [](const Scope&, Receive&, Send& send) {
       answer(send);
       while (this_fiber::sleep_for(1s).has_value()) {
       }
     },
     "it returns", "it had to be cancelled"},
    {"NeedsExtensions",
     [](const Scope&, Receive&, Send& send) {
       send(HttpResponseEarlyHint{.links = {"</a>"}});
       answer(send);
     },
     "it does without extensions",
     "'http.response.early_hint' was sent, but the scope does not offer that extension"},
    {"NeedsAClient",
     [](const Scope& scope, Receive&, Send& send) { answer(send, scope.client.value().port ? 200 : 201); },
     "it does without knowing client and server", "it threw: bad optional access"},
    {"IgnoresRootPath",
     [](const Scope& scope, Receive&, Send& send) { answer(send, scope.path == "/" ? 200 : 404); },
     "mounted at a root_path it answers the same", "the status is 404, not 200"},
    {"ReadsOnePiece",
     [](const Scope&, Receive& receive, Send& send) {
       const auto message = receive();
       answer(send, std::get<HttpRequest>(message).body == "body" ? 200 : 400);
     },
     "a body that comes byte by byte is the same body", "the status is 400, not 200", post},
    {"ThrowsWhenTheClientLeavesInItsBody",
     [](const Scope&, Receive& receive, Send& send) {
       for (bool more = true; more;) {
         const auto message = receive();
         more = std::get<HttpRequest>(message).more_body;
       }
       answer(send);
     },
     "a client that leaves in its body ends the call", "it threw: std::get: wrong index for variant", post},
    {"WaitsForABodyForEver",
     [](const Scope&, Receive& receive, Send& send) {
       for (bool more = true; more;) {
         const auto message = receive();
         const auto* piece = std::get_if<HttpRequest>(&message);
         more = piece == nullptr || piece->more_body;
       }
       answer(send);
     },
     "a client that leaves in its body ends the call", "it went on to receive after 'http.disconnect'", post},
    {"SendsToNobody",
     [](const Scope&, Receive&, Send& send) {
       for (int i = 0; i < 10'000; ++i) {
         try {
           return answer(send);
         } catch (const Disconnected&) {
         }
       }
     },
     "a client that leaves at any message ends the call",
     "at message 1: it went on to send after the client had left"},
};

INSTANTIATE_TEST_SUITE_P(All, ApplicationFault, ::testing::ValuesIn(sinners),
                         [](const auto& sinner) { return std::string(sinner.param.name); });

TEST(ApplicationCheck, CallsThatShareWhatTheyShouldNotAreFound) {
  int in_progress = 0;
  const auto found = broken(http_only([&](const Scope&, Receive&, Send& send) {
    ++in_progress;
    try {
      answer(send, in_progress == 1 ? 200 : 503);
    } catch (const Disconnected&) {
    }
    --in_progress;
  }));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(), HasSubstr("calls at the same time do not disturb one another"));
}

TEST(ApplicationCheck, AnEndlessStreamIsLeftByItsClient) {
  const auto report = check_application(http_only([](const Scope&, Receive&, Send& send) {
                                          send(HttpResponseStart{});
                                          for (;;) {
                                            send(HttpResponseBody{.body = "tick", .more_body = true});
                                            static_cast<void>(this_fiber::sleep_for(1s));
                                          }
                                        }),
                                        {{}});
  EXPECT_THAT(broken(report), ::testing::ElementsAre());
  EXPECT_EQ(report.count(Verdict::not_checked), 1U);
}

TEST(ApplicationCheck, AStreamThatWaitsForItsClientsEndIsLeft) {
  EXPECT_THAT(broken(http_only([](const Scope&, Receive& receive, Send& send) {
                send(HttpResponseStart{});
                send(HttpResponseBody{.body = "begun", .more_body = true});
                while (!std::holds_alternative<HttpDisconnect>(receive())) {
                }
              })),
              ::testing::ElementsAre());
}

TEST(ApplicationCheck, StateOfLifespanReachesRequests) {
  const auto found = broken([](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type == ScopeType::http) return answer(send, scope.state.get<int>("status"));
    static_cast<void>(receive());
    scope.state.set("status", 202);
    send(LifespanStartupComplete{});
    static_cast<void>(receive());
    send(LifespanShutdownComplete{});
  });
  EXPECT_THAT(found, ::testing::ElementsAre());
}

TEST(ApplicationCheck, AStartUpThatFailsIsFound) {
  const auto report = check_application([](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(receive());
    send(LifespanStartupFailed{.message = "no database"});
  });
  ASSERT_EQ(broken(report).size(), 1U);
  EXPECT_THAT(broken(report).front(), HasSubstr("no database"));
  EXPECT_THAT(report.to_text(), HasSubstr("lifespan\n  BROKEN "));
}

TEST(ApplicationCheck, AnAnswerBeforeTheQuestionIsFound) {
  const auto found = broken([](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type == ScopeType::http) return answer(send);
    send(LifespanStartupComplete{});
    static_cast<void>(receive());
    static_cast<void>(receive());
    send(LifespanShutdownComplete{});
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(), HasSubstr("'lifespan.startup.complete' was sent before it was asked for"));
}

// ---- two opinions ----

/// One of the messages that there are, well-formed or not.
void send_any(testing::Random& random, Send& send) {
  const bool more = random.below(2) == 0;
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2: {
      Headers headers;
      if (random.below(4) == 0) headers.add("content-length", std::to_string(random.below(6)));
      if (random.below(8) == 0) headers.add("bad name", "1");
      return send(HttpResponseStart{.status = random.below(8) == 0 ? 150 : 200,
                                    .headers = std::move(headers),
                                    .trailers = random.below(4) == 0});
    }
    case 3:
    case 4:
    case 5:
      return send(
          HttpResponseBody{.body = std::string_view("abcde").substr(random.below(6)), .more_body = more});
    case 6: return send(HttpResponseTrailers{.headers = {{"x-a", "1"}}, .more_trailers = more});
    case 7: return send(HttpResponseEarlyHint{.links = {"</a>"}});
    default: return send(HttpResponsePush{.path = "/a"});
  }
}

/// The judge's word for each message, before the server's.
class JudgedSend final : public Send {
 public:
  JudgedSend(const Scope& scope, Send& outer) : judge_(scope), outer_(outer) {}

 private:
  void handle(MessageRef message) override {
    std::optional<std::string> breach;
    try {
      judge_.take(message);
    } catch (const ContractError& error) {
      breach = error.what();
    }
    try {
      outer_(message);
      EXPECT_FALSE(breach) << "the server takes it, but " << *breach;
    } catch (const ContractError& error) {
      EXPECT_TRUE(breach) << "the judge takes it, but " << error.what();
      throw;
    }
  }

  ResponseJudge judge_;
  Send& outer_;
};

TEST(ResponseJudge, ItAndTheServerAreOfOneMind) {
  const testing::CapturedLog log;  // of failures there are plenty
  testing::Random random(7);
  TestClient client(http_only([&](const Scope& scope, Receive&, Send& send) {
                      JudgedSend judged(scope, send);
                      for (int i = 0; i < 6; ++i) send_any(random, judged);
                    }),
                    {.raise_errors = false});
  for (int i = 0; i < 2000 && !HasFailure(); ++i) static_cast<void>(client.open("GET", "/"));
}

// ---- servers ----

ConformanceReport check(Application application) {
  ServerOptions options;
  options.port = 0;
  options.workers = 2;
  Server server(std::move(application), options, log::SinkOptions{.target = "/dev/null"});
  server.start();
  const auto url = parse_server_url(fmt::format("http://127.0.0.1:{}/", server.port()));
  ConformanceReport report;
  run_event_loop([&] { report = check_server(url, {.patience = 20s}); });
  return report;
}

TEST(ServerCheck, ThisServerKeepsTheContract) {
  const auto report = check(conformance_probe());
  EXPECT_THAT(broken(report), ::testing::ElementsAre());
  EXPECT_GT(report.count(Verdict::holds), 70U);
}

TEST(ServerCheck, TheProbeMayBeMounted) {
  Router router;
  router.mount("/check", conformance_probe());
  ServerOptions options;
  options.port = 0;
  options.workers = 1;
  Server server(router, options, log::SinkOptions{.target = "/dev/null"});
  server.start();
  const auto url = parse_server_url(fmt::format("http://127.0.0.1:{}/check/", server.port()));
  ConformanceReport report;
  run_event_loop([&] { report = check_server(url, {.patience = 20s}); });
  EXPECT_THAT(broken(report), ::testing::ElementsAre());
}

TEST(ServerCheck, WithoutTheProbeOnlyTheOutsideIsChecked) {
  const auto report = check(http_only([](const Scope&, Receive&, Send& send) { answer(send); }));
  EXPECT_THAT(broken(report), ::testing::ElementsAre());
  EXPECT_EQ(report.count(Verdict::holds), 5U);
  EXPECT_THAT(report.to_text(), HasSubstr("the URL is not served by the conformance probe"));
}

TEST(ServerCheck, AServerThatIsNotThereIsBroken) {
  ConformanceReport report;
  run_event_loop([&] { report = check_server(parse_server_url("http://127.0.0.1:1/")); });
  EXPECT_FALSE(report.conforms());
  EXPECT_EQ(report.count(Verdict::holds), 0U);
}

/// A server's side that gets everything wrong that a middleware can get wrong.
class WrongSend final : public Send {
 public:
  explicit WrongSend(Send& outer) : outer_(outer) {}

 private:
  void handle(MessageRef message) override {
    if (message.get_if<HttpResponseEarlyHint>() != nullptr) return;
    if (const auto* start = message.get_if<HttpResponseStart>()) {
      auto changed = *start;
      changed.headers.add("connection", "close");
      changed.headers.add("x-a", "4");
      return pass(changed);
    }
    pass(message);
  }
  void pass(MessageRef message) {
    try {
      outer_(message);
    } catch (const std::exception&) {
    }
  }

  Send& outer_;
};

Application wrong_server(Application inner) {
  return [inner = std::move(inner)](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) return inner(scope, receive, send);
    auto wrong = scope;
    wrong.asgi.version = "2.0";
    wrong.http_version = "2";
    wrong.method = "get";
    wrong.raw_path = scope.path;
    wrong.query_string = "a";
    wrong.root_path = "/elsewhere";
    wrong.headers = {};
    wrong.client = {};
    wrong.state = {};
    wrong.extensions = {};
    WrongSend wrong_send(send);
    inner(wrong, receive, wrong_send);
  };
}

TEST(ServerCheck, WhatAServerGetsWrongIsFound) {
  const auto found =
      broken(check([inner = conformance_probe()](const Scope& scope, Receive& receive, Send& send) {
        const bool script = scope.path.starts_with("/script/");
        const bool asked = script || scope.path.starts_with("/scope");
        if (!asked) return inner(scope, receive, send);
        if (!script) return wrong_server(inner)(scope, receive, send);
        WrongSend wrong_send(send);
        inner(scope, receive, wrong_send);
      }));
  EXPECT_GE(found.size(), 40U);
  for (const auto* promise :
       {"type, asgi and scheme", "http_version is", "method is", "query_string is", "path includes root_path",
        "headers have lower-case names", "client and server", "state is what", "extensions offers",
        "a second start", "a body before the start", "a type that nobody knows", "early hints are",
        "headers keep their order", "send throws Disconnected"}) {
    EXPECT_THAT(found, ::testing::Contains(::testing::StartsWith(promise)));
  }
}

TEST(ServerUrl, PartsAreTold) {
  const auto url = parse_server_url("http://[::1]:8080/a/b/");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.path, "/a/b");
  EXPECT_EQ(parse_server_url("http://example.test").port, 80);
  EXPECT_EQ(parse_server_url("http://[::1]").host, "::1");
}

TEST(ServerUrl, WhatIsNoneIsRefused) {
  for (const auto* text :
       {"", "https://a/", "a:80", "http://", "http://:80/", "http://a:/", "http://a:x/", "http://a:70000"})
    EXPECT_THROW(static_cast<void>(parse_server_url(text)), std::invalid_argument) << text;
}

}  // namespace
}  // namespace atlas::conformance_test
