// The demo application's endpoints, through the command.
#include "app/running_server.hpp"

#include <atlas/version.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace atlas::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

/// One server for all tests of this file; each has a connection of its own.
class Demo : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<RunningServer>(); }
  static void TearDownTestSuite() {
    if (!server_) return;
    EXPECT_EQ(server_->stop(), 0);
    server_.reset();
  }

  Response get(const std::string& target) { return client_.request("GET", target); }
  Response post(const std::string& target, const std::string& headers, const std::string& body) {
    return client_.request("POST", target, headers, body);
  }

  BlockingClient client_{port()};

 private:
  static std::uint16_t port() {
    return server_ ? server_->port() : throw std::runtime_error("there is no server");
  }

  static inline std::unique_ptr<RunningServer> server_;
};

TEST_F(Demo, PlaintextGreets) {
  auto response = get("/plaintext");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers["content-type"], "text/plain");
  EXPECT_EQ(response.headers["content-length"], "13");
  EXPECT_EQ(response.body, "Hello, World!");
}

TEST_F(Demo, JsonGreets) {
  auto response = get("/json");
  EXPECT_EQ(response.headers["content-type"], "application/json");
  EXPECT_EQ(response.body, R"({"message":"Hello, World!"})");
}

TEST_F(Demo, HeadHasTheHeadersOfGetAndNoBody) {
  auto head = client_.request("HEAD", "/plaintext");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers["content-length"], "13");
  EXPECT_EQ(get("/plaintext").body, "Hello, World!");
}

TEST_F(Demo, EchoSendsTheBodyBackWithItsTypeAndLength) {
  auto response = post("/echo", "content-type: text/x-test\r\n", "some text");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers["content-type"], "text/x-test");
  EXPECT_EQ(response.headers["content-length"], "9");
  EXPECT_EQ(response.headers["x-content-type-options"], "nosniff");
  EXPECT_EQ(response.body, "some text");
}

TEST_F(Demo, EchoOfNothingIsEmpty) {
  const auto response = post("/echo", "content-length: 0\r\n", "");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

TEST_F(Demo, EchoSendsPiecesBackBeforeTheBodyIsComplete) {
  client_.send("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\none \r\n");
  std::string echoed;
  while (echoed.find("one ") == std::string::npos) echoed += client_.receive_some();
  EXPECT_THAT(echoed, HasSubstr("transfer-encoding: chunked\r\n"));
  client_.send("3\r\ntwo\r\n0\r\n\r\n");
  while (echoed.find("0\r\n\r\n") == std::string::npos) echoed += client_.receive_some();
  EXPECT_THAT(echoed, HasSubstr("two"));
}

TEST_F(Demo, EchoSendsALargeBodyBack) {
  std::string body(3'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  const auto response = post("/echo", "", body);
  EXPECT_TRUE(response.complete);
  EXPECT_TRUE(response.body == body);
}

TEST_F(Demo, UploadCountsTheBody) {
  EXPECT_EQ(post("/upload", "", std::string(1'000'000, 'x')).body, R"({"bytes":1000000})");
  EXPECT_EQ(post("/upload", "content-length: 0\r\n", "").body, R"({"bytes":0})");
}

TEST_F(Demo, UploadCountsAChunkedBodyWithoutItsFraming) {
  client_.send(
      "POST /upload HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
      "chunked\r\n\r\n4\r\nfour\r\n2\r\ntw\r\n0\r\n\r\n");
  EXPECT_EQ(client_.receive().body, R"({"bytes":6})");
}

TEST_F(Demo, AnUploadAboveTheLimitIsRefused) {
  client_.send("POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n");
  EXPECT_EQ(client_.receive().status, 413);
}

TEST_F(Demo, SleepTakesItsTime) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(get("/sleep?ms=20").body, "slept 20 ms\n");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(20));
  EXPECT_EQ(get("/sleep").body, "slept 0 ms\n");
  EXPECT_EQ(get("/sleep?x=1&ms=1&ms=2").body, "slept 1 ms\n");
}

TEST_F(Demo, SleepRefusesWhatIsNotABoundedNumber) {
  for (const auto* query :
       {"ms=", "ms", "ms=x", "ms=-1", "ms=1.5", "ms=60001", "ms=99999999999999999999", "ms=1+"}) {
    const auto response = get(std::string("/sleep?") + query);
    EXPECT_EQ(response.status, 422) << query;
    EXPECT_THAT(response.body, HasSubstr(R"("field":"query.ms","message":"is not )")) << query;
  }
}

TEST_F(Demo, StreamSendsThatManyLinesInChunks) {
  auto response = get("/stream?chunks=3");
  EXPECT_EQ(response.headers["transfer-encoding"], "chunked");
  EXPECT_EQ(response.body, "chunk 1 of 3\nchunk 2 of 3\nchunk 3 of 3\n");
  EXPECT_EQ(get("/stream?chunks=0").body, "");
  EXPECT_EQ(get("/stream?chunks=2&ms=1").body, "chunk 1 of 2\nchunk 2 of 2\n");
  EXPECT_TRUE(get("/stream?chunks=10000").body.ends_with("chunk 10000 of 10000\n"));
}

TEST_F(Demo, StreamRefusesWhatIsNotABoundedNumber) {
  for (const auto* query : {"chunks=x", "chunks=10001", "chunks=1&ms=1001", "chunks=-1"}) {
    const auto response = get(std::string("/stream?") + query);
    EXPECT_EQ(response.status, 422) << query;
    EXPECT_THAT(response.body, HasSubstr(R"("field":"query.)")) << query;
  }
}

TEST_F(Demo, FactsAreLive) {
  const auto first = get("/facts").body;
  EXPECT_THAT(
      first,
      MatchesRegex(
          R"(\{"version":"[0-9.]+","workers":1,"requests":[0-9]+,"connections_open":[0-9]+,)"
          R"("connections_accepted":[0-9]+,"connections_refused":0,"fibers_alive":[0-9]+,"application_failures":0,"stalls":[0-9]+,)"
          R"("uptime_ms":[0-9]+,"worker":0,"connection_id":[0-9]+\})"));
  EXPECT_THAT(first, HasSubstr(std::string("\"version\":\"") + version + "\""));
  EXPECT_NE(get("/facts").body, first);
}

TEST_F(Demo, ThePageLoadsNothingFromElsewhere) {
  auto response = get("/");
  EXPECT_EQ(response.headers["content-type"], "text/html; charset=utf-8");
  EXPECT_THAT(response.headers["content-security-policy"], StartsWith("default-src 'none'; "));
  EXPECT_THAT(response.body, AllOf(StartsWith("<!doctype html>"), HasSubstr("</html>")));
  EXPECT_EQ(response.body.find("src="), std::string::npos);
  EXPECT_EQ(response.body.find("https:"), std::string::npos);
}

TEST_F(Demo, OtherPathsAreNotFound) {
  for (const auto* path : {"/nothing", "/plaintext/", "/Plaintext", "//"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(get("/%70laintext").status, 200);
}

TEST_F(Demo, OtherMethodsAreToldWhichOnesThereAre) {
  auto response = client_.request("DELETE", "/plaintext");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers["allow"], "GET, HEAD, OPTIONS");
  response = get("/echo");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers["allow"], "POST, OPTIONS");
}

TEST_F(Demo, FibersAreNotShownUnlessSwitchedOn) {
  const auto response = get("/debug/fibers");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, get("/nothing").body);
}

/// A server that shows its fibers, one of which sleeps for a client.
class DemoFibers : public ::testing::Test {
 protected:
  DemoFibers() {
    sleeper_.send_request("GET", "/sleep?ms=60000&<b>");
    while (client_.request("GET", "/debug/fibers?format=json").body.find("/sleep") == std::string::npos)
      continue;
  }

  RunningServer server_{{"--debug-endpoints=on", "--stack-size=128k", "--drain-timeout=0"}};
  BlockingClient sleeper_{server_.port()};
  BlockingClient client_{server_.port()};
};

TEST_F(DemoFibers, AreListedAsJson) {
  auto response = client_.request("GET", "/debug/fibers?format=json");
  EXPECT_EQ(response.headers["content-type"], "application/json");
  EXPECT_THAT(response.body, StartsWith(R"({"threads":[{"worker":-1,"answered":true,"alive":)"));
  EXPECT_THAT(response.body, ContainsRegex(R"("name":"client","state":"suspended","waits_for":"sleep",)"
                                           R"("suspended_ms":[0-9]+,"age_ms":[0-9]+,"deadline_ms":[0-9]+,)"
                                           R"("request":"GET /sleep.ms=60000&<b> HTTP/1.1",)"
                                           R"("client":"127.0.0.1:[0-9]+","stack_bytes_used":[0-9]+,)"
                                           R"("stack_bytes":1[0-9]+)"));
  EXPECT_THAT(response.body,
              ContainsRegex(R"("stacks":\[\{"name":"[a-z ]+","bytes_max":[0-9]+,"samples":[0-9]+)"));
  EXPECT_THAT(response.body,
              ContainsRegex(R"("offload":\{"threads":[0-9]+,"busy":0,"queued":0,"waiting_for_room":0\}\}$)"));
}

TEST_F(DemoFibers, AreListedAsJsonForWhoAcceptsThat) {
  auto response = client_.request("GET", "/debug/fibers", "accept: application/json\r\n");
  EXPECT_EQ(response.headers["content-type"], "application/json");
}

TEST_F(DemoFibers, AreListedAsAPageInWhichNothingIsMarkup) {
  auto response = client_.request("GET", "/debug/fibers", "accept: text/html\r\n");
  EXPECT_EQ(response.headers["content-type"], "text/html; charset=utf-8");
  EXPECT_THAT(response.headers["content-security-policy"], StartsWith("default-src 'none'; "));
  EXPECT_THAT(response.body,
              AllOf(StartsWith("<!doctype html>"), HasSubstr("<p>offload: "), HasSubstr("Worker 0: "),
                    HasSubstr("<td>sleep</td>"), HasSubstr("&amp;&lt;b&gt; HTTP/1.1"), HasSubstr("</html>")));
}

TEST_F(DemoFibers, AreLoggedOnSigusr1) {
  server_.process().signal(SIGUSR1);
  auto& log = server_.process().out();
  EXPECT_THAT(log.find("fibers on 2 threads").value_or(""), HasSubstr("INFO  [fiber reports] "));
  EXPECT_THAT(log.find("/sleep").value_or(""),
              ContainsRegex("w0 +suspended .* client +sleep +GET /sleep.* from 127.0.0.1:[0-9]+$"));
  EXPECT_TRUE(log.find("stacks of 'client': up to "));
  EXPECT_THAT(log.find("offload: ").value_or(""),
              HasSubstr(" threads busy, 0 calls queued, 0 waiting for room"));
}

TEST(DemoMounted, IsServedUnderARootPath) {
  const RunningServer server({"--root-path=/shop"});
  EXPECT_EQ(server.get("/plaintext").body, "Hello, World!");
}

}  // namespace
}  // namespace atlas::testing
