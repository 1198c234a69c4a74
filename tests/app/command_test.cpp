// The `atlas` command as people run it: in a process of its own.
#include "app/running_server.hpp"

#include <atlas/version.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

namespace atlas::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string temporary_path(const std::string& name) {
  return ::testing::TempDir() + "atlas-" + std::to_string(::getpid()) + "-" + name;
}

TEST(Command, PrintsItsVersion) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--version"}, {"serve", "--version"}}) {
    const auto outcome = run_atlas(arguments);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out, std::string("atlas ") + version + "\n");
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(Command, PrintsHelp) {
  const auto outcome = run_atlas({"--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, StartsWith("usage: atlas serve [LIBRARY[:NAME]] [options]\n"));
  const auto serve = run_atlas({"serve", "--help"});
  EXPECT_EQ(serve.status, 0);
  EXPECT_THAT(serve.out, StartsWith("Usage: atlas serve [OPTIONS] [application]\n"));
}

struct BadUsage {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string line;
};

TEST(Command, RefusesBadUsageWithOneLineAndStatus2) {
  const std::vector<BadUsage> usages = {
      {{}, {}, "no command given (see atlas --help)"},
      {{"server"}, {}, "server: no such command (see atlas --help)"},
      {{"serve", "--workers=abc"}, {}, "--workers=abc: not a whole number"},
      {{"serve", "--prot=1"}, {}, "--prot: no such option; did you mean --port?"},
      {{"serve"}, {"ATLAS_PORT=70000"}, "ATLAS_PORT=70000: not a port (0 to 65535)"},
      {{"serve", "--static=/nowhere"}, {}, "--static=/nowhere: No such file or directory"},
      {{"serve", "--static=/dev/null"}, {}, "--static=/dev/null: Not a directory"},
      {{"serve", "--static="}, {}, "--static=: no folder"},
      {{"serve", "--static"}, {}, "--static: no value given"},
      {{"serve", "a.so", "--static=/"}, {}, "--static=/: a.so is to be served already"},
      {{"serve", "--config=/nowhere"}, {}, "--config=/nowhere: cannot read it: no such file or directory"},
  };
  for (const auto& usage : usages) {
    const auto outcome = run_atlas(usage.arguments, usage.environment);
    EXPECT_EQ(outcome.status, 2) << usage.line;
    EXPECT_EQ(outcome.err, "atlas: " + usage.line + "\n");
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Command, SaysWhichPortIsInUse) {
  const RunningServer server;
  const auto port = std::to_string(server.port());
  const auto outcome = run_atlas({"serve", "--port", port});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("atlas: cannot listen on 127.0.0.1:" + port + ": "),
                                 EndsWith("ddress already in use\n")));
}

TEST(Command, SaysThatALogCannotBeWritten) {
  const auto outcome = run_atlas({"serve", "--port=0", "--log-file=/nowhere/log"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, StartsWith("atlas: cannot write the log"));
}

TEST(Command, ServesTheDemoOnTheAddressThatItLogs) {
  RunningServer server;
  EXPECT_THAT(server.listening(), StartsWith("http://127.0.0.1:"));
  EXPECT_EQ(server.get("/plaintext").body, "Hello, World!");
  EXPECT_EQ(server.stop(), 0);
  EXPECT_EQ(server.process().err().rest(), "");
}

TEST(Command, ServesOnAUnixSocketAndRemovesItAtTheEnd) {
  const auto path = temporary_path("socket");
  RunningServer server({"--unix", path});
  EXPECT_THAT(server.listening(), HasSubstr(path));
  EXPECT_EQ(BlockingClient(path).request("GET", "/plaintext").body, "Hello, World!");
  EXPECT_EQ(server.stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Command, IsConfiguredByFileEnvironmentAndCommandLineTogether) {
  const auto path = temporary_path("config.toml");
  std::ofstream(path) << "server-name = \"from the file\"\nroot-path = \"/shop\"\naccess-log = \"common\"\n";
  RunningServer server({"--server-name=shop"}, {"ATLAS_CONFIG=" + path, "ATLAS_ACCESS_LOG=json"});
  std::filesystem::remove(path);
  EXPECT_EQ(server.get("/plaintext").headers["server"], "shop");
  EXPECT_THAT(server.process().out().next().value_or(""), AllOf(StartsWith("{"), HasSubstr("/plaintext")));
}

TEST(Command, TellsWhatRequestsCost) {
  RunningServer server({"--server-timing=on", "--access-log=json", "--access-log-cost=on"});
  const auto response = server.get("/sleep?ms=20");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers.at("server-timing"), MatchesRegex("cpu;dur=[0-9.]+, sleep;dur=[0-9.]+.*"));
  EXPECT_THAT(server.process().out().find("/sleep").value_or(""), HasSubstr(",\"cost\":{\"cpu_us\":"));
}

TEST(Command, LogsToAFileAsJson) {
  const auto path = temporary_path("log");
  Process server(
      atlas_command({"serve", "--port=0", "--workers=1", "--log-format=json", "--log-file", path}));
  std::string text;
  for (int attempt = 0; attempt < 1000 && text.find("listening on") == std::string::npos; ++attempt) {
    ASSERT_EQ(server.wait(std::chrono::milliseconds(20)), std::nullopt);
    std::ifstream file(path);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  std::filesystem::remove(path);
  EXPECT_THAT(text, AllOf(StartsWith("{\""), HasSubstr("\"level\":\"info\""),
                          HasSubstr("listening on http://127.0.0.1:")));
  EXPECT_EQ(server.out().rest(), "");
}

// ---- stopping ----

/// A request that is being served for as long as the test wants: half of its body is echoed, half is not yet
/// sent.
class HalfAnEcho {
 public:
  explicit HalfAnEcho(std::uint16_t port) : client_(port) {
    client_.send("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    while (echoed_.find("first") == std::string::npos) echoed_ += client_.receive_some();
  }
  /// The whole response's text.
  std::string finish() {
    client_.send("6\r\nsecond\r\n0\r\n\r\n");
    for (auto more = client_.receive_some(); !more.empty(); more = client_.receive_some()) echoed_ += more;
    return echoed_;
  }

 private:
  BlockingClient client_;
  std::string echoed_;
};

TEST(CommandStopping, ClosesIdleConnectionsAtOnceAndLetsRunningRequestsFinish) {
  RunningServer server;
  BlockingClient idle(server.port());
  EXPECT_EQ(idle.request("GET", "/plaintext").status, 200);
  HalfAnEcho running(server.port());
  server.process().signal(SIGTERM);
  EXPECT_TRUE(idle.at_end());
  EXPECT_THAT(running.finish(), AllOf(HasSubstr("second"), EndsWith("0\r\n\r\n")));
  EXPECT_EQ(server.process().wait(), 0);
}

TEST(CommandStopping, LetsARequestSleepOn) {
  RunningServer server;
  BlockingClient sleeper(server.port());
  EXPECT_EQ(sleeper.request("GET", "/plaintext").status, 200);
  sleeper.send_request("GET", "/sleep?ms=300");
  BlockingClient other(server.port());
  for (int others = 1;; ++others) {  // until the sleeper's request has begun
    const auto facts = other.request("GET", "/facts").body;
    if (facts.find("\"requests\":" + std::to_string(others + 2) + ",") != std::string::npos) break;
  }
  server.process().signal(SIGTERM);
  EXPECT_EQ(sleeper.receive().body, "slept 300 ms\n");
  EXPECT_EQ(server.process().wait(), 0);
}

TEST(CommandStopping, AcceptsNobodyWhileItDrains) {
  RunningServer server;
  BlockingClient idle(server.port());
  HalfAnEcho running(server.port());
  server.process().signal(SIGTERM);
  EXPECT_TRUE(idle.at_end());
  EXPECT_THROW(BlockingClient(server.port()), std::system_error);
  running.finish();
  EXPECT_EQ(server.process().wait(), 0);
}

TEST(CommandStopping, GivesRunningRequestsNoMoreThanTheDrainTimeout) {
  RunningServer server({"--drain-timeout=50ms"});
  HalfAnEcho running(server.port());
  EXPECT_EQ(server.stop(), 0);
}

TEST(CommandStopping, EndsAtOnceOnASecondSignal) {
  RunningServer server;
  HalfAnEcho running(server.port());
  server.process().signal(SIGINT);
  ASSERT_TRUE(server.process().out().find("stopping"));
  EXPECT_EQ(server.stop(SIGINT), 128 + SIGINT);
}

TEST(CommandStopping, SurvivesAHangUp) {
  RunningServer server;
  server.process().signal(SIGHUP);
  EXPECT_EQ(server.get("/plaintext").status, 200);
  EXPECT_EQ(server.stop(SIGINT), 0);
}

}  // namespace
}  // namespace atlas::testing
