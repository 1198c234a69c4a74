// The server as an object, over real sockets.
#include "asgi/allocation_counter.hpp"
#include "support/http_client.hpp"
#include "support/temporary_folder.hpp"

#include <atlas/asgi/server.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/run_on.hpp>

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace atlas::asgi {
namespace {

using ::testing::HasSubstr;
using testing::HttpClient;
using testing::TemporaryFolder;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

ServerOptions on_any_port(int workers) {
  ServerOptions options;
  options.port = 0;
  options.workers = workers;
  return options;
}

/// Lines of no interest go nowhere.
log::SinkOptions no_log() { return {.target = "/dev/null"}; }

/// An application that says that it does not know lifespan.
template <class App>
Application http_only(App app) {
  return [app = std::move(app)](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    app(scope, receive, send);
  };
}

void answer(Send& send, std::string_view body) {
  send(HttpResponseStart{});
  send(HttpResponseBody{.body = body});
}

void hello(const Scope&, Receive&, Send& send) { answer(send, "hello"); }

/// Answers "<worker>".
void say_worker(const Scope& scope, Receive&, Send& send) {
  answer(send, std::to_string(scope.extensions.atlas.worker));
}

std::string start_error(Application application, const ServerOptions& options) {
  Server server(std::move(application), options, no_log());
  try {
    server.start();
  } catch (const StartError& error) {
    return error.what();
  }
  return "it started";
}

/// Waits for what another thread brings about; false when that does not come.
bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::size_t descriptors_open() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST(Server, AnswersOnAFreePort) {
  Server server(hello, on_any_port(1), no_log());
  server.start();
  EXPECT_NE(server.port(), 0);
  HttpClient client(server.addresses().front());
  EXPECT_EQ(client.get("/"), "hello");
  EXPECT_EQ(client.get("/"), "hello");
}

TEST(Server, WorkersTakeConnectionsInTurn) {
  Server server(say_worker, on_any_port(2), no_log());
  server.start();
  std::string workers;
  for (int i = 0; i < 6; ++i) workers += HttpClient(server.addresses().front()).get("/");
  EXPECT_EQ(workers, "010101");
}

TEST(Server, ClientsGoToTheWorkerWithTheLeastConnections) {
  auto options = on_any_port(2);
  options.placement = Placement::least_connections;
  Server server(say_worker, options, no_log());
  server.start();
  HttpClient first(server.addresses().front());
  const auto busier = first.get("/");
  for (int i = 0; i < 4; ++i) {
    EXPECT_NE(HttpClient(server.addresses().front()).get("/"), busier);
    EXPECT_TRUE(becomes_true([&] { return server.status().totals().connections_open == 1; }));
  }
}

TEST(Server, WorkersAcceptByThemselvesWhenAskedTo) {
  auto options = on_any_port(2);
  options.accept = AcceptMode::reuseport;
  Server server(say_worker, options, no_log());
  server.start();
  std::set<std::string> workers;
  // The system chooses by a hash of ports: a worker is left out for so long once in a world's age.
  for (int i = 0; i < 200 && workers.size() < 2; ++i)
    workers.insert(HttpClient(server.addresses().front()).get("/"));
  EXPECT_EQ(workers.size(), 2U);
}

TEST(Server, ConnectionsAreNumberedApartWhenWorkersAccept) {
  auto options = on_any_port(2);
  options.accept = AcceptMode::reuseport;
  Server server([](const Scope& scope, Receive&,
                   Send& send) { answer(send, std::to_string(scope.extensions.atlas.connection_id)); },
                options, no_log());
  server.start();
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.insert(HttpClient(server.addresses().front()).get("/"));
  EXPECT_EQ(ids.size(), 50U);
}

TEST(Server, WorkersCannotEachAcceptOnAUnixSocket) {
  auto options = on_any_port(2);
  options.accept = AcceptMode::reuseport;
  options.unix_path = "/tmp/atlas-never";
  EXPECT_EQ(start_error(hello, options),
            "workers cannot each accept on a unix socket: reuseport is for addresses");
}

TEST(Server, LimitsOfConnectionsHoldForAllWorkersTogether) {
  auto options = on_any_port(2);
  options.connection_limits.connections_per_address_max = 3;
  Server server(hello, options, no_log());
  server.start();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server.addresses().front()));
    EXPECT_EQ(clients.back()->get("/"), "hello");
  }
  HttpClient fourth(server.addresses().front());
  EXPECT_THAT(fourth.read_to_end(), HasSubstr("HTTP/1.1 503 Service Unavailable"));
}

TEST(Server, ConnectionStaysWithItsWorker) {
  Server server(say_worker, on_any_port(2), no_log());
  server.start();
  HttpClient first(server.addresses().front());
  HttpClient second(server.addresses().front());
  EXPECT_EQ(first.get("/") + second.get("/") + first.get("/") + second.get("/"), "0101");
}

TEST(Server, HandlersCallFunctionsOnOtherWorkers) {
  std::atomic<std::thread::id> started[2];
  Server server(
      [&](const Scope& scope, Receive& receive, Send& send) {
        const int worker = scope.extensions.atlas.worker;
        if (scope.type == ScopeType::lifespan) {
          if (worker >= 0) started[worker] = std::this_thread::get_id();
          throw UnsupportedScope(scope);
        }
        static_cast<void>(receive);
        const auto other = scope.extensions.atlas.server->loop(static_cast<std::size_t>(1 - worker));
        const auto there = run_on(other, "who", [] { return std::this_thread::get_id(); }).value();
        answer(send, there == started[1 - worker].load() ? "there" : "elsewhere");
      },
      on_any_port(2), no_log());
  server.start();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(HttpClient(server.addresses().front()).get("/"), "there");
}

TEST(Server, ListensOnAUnixSocket) {
  const TemporaryFolder folder;
  auto options = on_any_port(1);
  options.unix_path = folder.file("socket");
  const auto say_client = [](const Scope& scope, Receive&, Send& send) {
    answer(send, scope.client ? "somebody" : "nobody at " + std::string(scope.server->host));
  };
  Server server(http_only(say_client), options, no_log());
  server.start();
  EXPECT_EQ(HttpClient(server.addresses().front()).get("/"), "nobody at " + options.unix_path);
  server.stop();
  EXPECT_FALSE(fs::exists(options.unix_path));
}

/// Answers "<client> <server>".
void say_ends(const Scope& scope, Receive&, Send& send) {
  answer(send, std::string(scope.client->host) + " " + std::string(scope.server->host) + " " +
                   std::to_string(*scope.server->port));
}

TEST(Server, ListensOnIpv6) {
  auto options = on_any_port(1);
  options.host = "::1";
  Server server(http_only(say_ends), options, no_log());
  server.start();
  EXPECT_EQ(HttpClient(server.addresses().front()).get("/"), "::1 ::1 " + std::to_string(server.port()));
}

TEST(Server, TellsTheAddressThatAClientOfAWildcardUsed) {
  auto options = on_any_port(1);
  options.host = "0.0.0.0";
  Server server(http_only(say_ends), options, no_log());
  server.start();
  EXPECT_EQ(HttpClient(*SocketAddress::ip("127.0.0.1", server.port())).get("/"),
            "127.0.0.1 127.0.0.1 " + std::to_string(server.port()));
}

TEST(Server, ListensOnBothAddressesOfLocalhostAtOnePort) {
  auto options = on_any_port(1);
  options.host = "localhost";
  Server server(http_only(say_ends), options, no_log());
  server.start();
  ASSERT_EQ(server.addresses().size(), 2U);
  const auto port = std::to_string(server.port());
  EXPECT_EQ(HttpClient(*SocketAddress::ip("127.0.0.1", server.port())).get("/"),
            "127.0.0.1 127.0.0.1 " + port);
  EXPECT_EQ(HttpClient(*SocketAddress::ip("::1", server.port())).get("/"), "::1 ::1 " + port);
}

TEST(Server, ServesManyClientsAtOnce) {
  constexpr int clients_count = 200;
  Server server(http_only([](const Scope&, Receive&, Send& send) {
                  static_cast<void>(this_fiber::sleep_for(20ms));
                  answer(send, "hello");
                }),
                on_any_port(2), no_log());
  server.start();
  std::vector<HttpClient> clients;
  for (int i = 0; i < clients_count; ++i) clients.emplace_back(server.addresses().front());
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients) client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    for (auto& client : clients) ASSERT_THAT(client.read_response(), HasSubstr("\r\n\r\nhello"));
  }
  const auto totals = server.status().totals();
  EXPECT_EQ(totals.workers, 2U);
  EXPECT_EQ(totals.requests, 3U * clients_count);
  EXPECT_EQ(totals.connections_accepted, std::uint64_t{clients_count});
  EXPECT_EQ(totals.connections_open, std::uint64_t{clients_count});
  clients.clear();
  EXPECT_TRUE(becomes_true([&] { return server.status().totals().connections_open == 0; }));
}

TEST(Server, EchoesLargeBodiesUnderBackPressure) {
  Server server(http_only([](const Scope&, Receive& receive, Send& send) {
                  send(HttpResponseStart{});
                  for (bool more = true; more;) {
                    const auto message = receive();
                    const auto& piece = std::get<HttpRequest>(message);
                    more = piece.more_body;
                    send(HttpResponseBody{.body = piece.body, .more_body = more});
                  }
                }),
                on_any_port(1), no_log());
  server.start();
  HttpClient client(server.addresses().front());
  const std::string body(std::size_t{8} << 20, 'x');
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n");
    client.send(body);
  });
  const auto response = client.read_to_end();
  sender.join();
  EXPECT_EQ(std::count(response.begin() + static_cast<std::ptrdiff_t>(response.find("\r\n\r\n")),
                       response.end(), 'x'),
            static_cast<std::ptrdiff_t>(body.size()));
}

TEST(Server, RefusalReachesAClientThatIsStillSending) {
  auto options = on_any_port(1);
  options.limits.body_bytes_max = 1000;
  Server server(hello, options, no_log());
  server.start();
  HttpClient client(server.addresses().front());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n");
  client.send(std::string(500'000, 'x'));
  EXPECT_THAT(client.read_to_end(), HasSubstr("413 Content Too Large"));
}

TEST(Server, CountsFailures) {
  Server server(http_only([](const Scope&, Receive&, Send&) {}), on_any_port(1), no_log());
  server.start();
  EXPECT_EQ(HttpClient(server.addresses().front()).get("/"), "500 Internal Server Error\n");
  EXPECT_EQ(server.status().totals().application_failures, 1U);
}

TEST(Server, GivesLifespansStateToRequests) {
  std::atomic<int> started = 0;
  std::atomic<int> stopped = 0;
  Server server(
      [&](const Scope& scope, Receive& receive, Send& send) {
        if (scope.type == ScopeType::http) {
          return answer(send,
                        scope.state.get<std::string>("process") + scope.state.get<std::string>("worker"));
        }
        static_cast<void>(receive());
        const auto worker = scope.extensions.atlas.worker;
        ++started;
        if (worker < 0) {
          scope.state.set("process", std::string("p"));
        } else {
          scope.state.set("worker", std::to_string(worker));
        }
        send(LifespanStartupComplete{});
        static_cast<void>(receive());
        ++stopped;
        send(LifespanShutdownComplete{});
      },
      on_any_port(2), no_log());
  server.start();
  EXPECT_EQ(started, 3);
  EXPECT_EQ(HttpClient(server.addresses().front()).get("/"), "p0");
  EXPECT_EQ(HttpClient(server.addresses().front()).get("/"), "p1");
  server.stop();
  EXPECT_EQ(stopped, 3);
}

TEST(Server, DoesNotStartOnAPortInUse) {
  Server first(hello, on_any_port(1), no_log());
  first.start();
  auto options = on_any_port(1);
  options.port = first.port();
  EXPECT_EQ(start_error(hello, options),
            "cannot listen on 127.0.0.1:" + std::to_string(first.port()) + ": Address already in use");
}

TEST(Server, DoesNotStartOnAHalfOfLocalhost) {
  auto options = on_any_port(1);
  options.host = "::1";
  Server first(hello, options, no_log());
  first.start();
  options.host = "localhost";
  options.port = first.port();
  EXPECT_EQ(start_error(hello, options),
            "cannot listen on [::1]:" + std::to_string(first.port()) + ": Address already in use");
}

TEST(Server, DoesNotStartWhereThereIsNoAddress) {
  auto options = on_any_port(1);
  options.host = "nowhere.example";
  EXPECT_EQ(start_error(hello, options), "cannot listen on nowhere.example: not an address");
}

TEST(Server, DoesNotStartWithoutItsLog) {
  Server server(hello, on_any_port(1), log::SinkOptions{.target = "/nowhere/log"});
  EXPECT_THROW(server.start(), StartError);
}

TEST(Server, DoesNotStartWhenTheApplicationDoesNot) {
  const auto failing_for = [](int failing_worker) {
    return [failing_worker](const Scope& scope, Receive& receive, Send& send) {
      static_cast<void>(receive());
      if (scope.extensions.atlas.worker == failing_worker)
        return send(LifespanStartupFailed{.message = "no database"});
      send(LifespanStartupComplete{});
      static_cast<void>(receive());
      send(LifespanShutdownComplete{});
    };
  };
  for (const int worker : {-1, 0, 1}) {
    EXPECT_EQ(start_error(failing_for(worker), on_any_port(2)),
              "the application did not start: lifespan.startup.failed: no database");
  }
}

TEST(Server, StopThrowsWhenTheApplicationCannotShutDown) {
  Server server(
      [](const Scope& scope, Receive& receive, Send& send) {
        if (scope.type == ScopeType::http) return hello(scope, receive, send);
        static_cast<void>(receive());
        send(LifespanStartupComplete{});
        static_cast<void>(receive());
        send(LifespanShutdownFailed{.message = "cannot flush"});
      },
      on_any_port(1), no_log());
  server.start();
  try {
    server.stop();
    FAIL() << "it stopped";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the application did not shut down: lifespan.shutdown.failed: cannot flush");
  }
}

TEST(Server, StopLetsRunningRequestsFinish) {
  std::atomic<bool> running = false;
  Server server(http_only([&](const Scope&, Receive&, Send& send) {
                  running = true;
                  static_cast<void>(this_fiber::sleep_for(200ms));
                  answer(send, "hello");
                }),
                on_any_port(1), no_log());
  server.start();
  HttpClient idle(server.addresses().front());
  HttpClient busy(server.addresses().front());
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(becomes_true([&] { return running.load(); }));
  server.stop();
  EXPECT_EQ(idle.read_to_end(), "");
  const auto response = busy.read_to_end();
  EXPECT_THAT(response, HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\n\r\nhello"));
  EXPECT_THROW(HttpClient(server.addresses().front()), std::system_error);
}

TEST(Server, StopCutsRequestsThatDoNotFinish) {
  std::atomic<bool> running = false;
  auto options = on_any_port(1);
  options.timeouts.drain = 50ms;
  Server server(http_only([&](const Scope&, Receive&, Send&) {
                  running = true;
                  static_cast<void>(this_fiber::sleep_for(1h));
                }),
                options, no_log());
  server.start();
  HttpClient client(server.addresses().front());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(becomes_true([&] { return running.load(); }));
  server.stop();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, StopsOnceAndWithoutHavingStarted) {
  Server never(hello, on_any_port(1), no_log());
  never.stop();
  Server server(hello, on_any_port(1), no_log());
  server.start();
  server.stop();
  server.stop();
}

TEST(Server, StopsUnderLoad) {
  Server server(hello, on_any_port(2), no_log());
  server.start();
  const auto address = server.addresses().front();
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      try {
        for (;;) static_cast<void>(HttpClient(address).get("/"));
      } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): that is how it ends
      }
    });
  }
  EXPECT_TRUE(becomes_true([&] { return server.status().totals().requests > 50; }));
  server.stop();
  for (auto& client : clients) client.join();
}

TEST(Server, ShortConnectionsLeaveNothingBehind) {
  Server server(hello, on_any_port(2), no_log());
  server.start();
  const auto visit = [&](int times) {
    for (int i = 0; i < times; ++i) {
      HttpClient client(server.addresses().front());
      client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      ASSERT_THAT(client.read_to_end(), HasSubstr("hello"));
    }
    ASSERT_TRUE(becomes_true([&] { return server.status().totals().connections_open == 0; }));
  };
  visit(100);
  const auto descriptors = descriptors_open();
  const auto allocations = testing::allocations_alive();
  visit(1000);
  EXPECT_TRUE(becomes_true([&] { return descriptors_open() <= descriptors; })) << descriptors_open();
  EXPECT_LE(testing::allocations_alive(), allocations + 20);
}

// ---- in a process of their own ----

/// Runs out of descriptors, and comes back. 0 when all was as it should be; the number of the step that was
/// not.
int run_out_of_descriptors() {
  const TemporaryFolder folder;
  const auto log_path = folder.file("log");
  Server server(hello, on_any_port(1), log::SinkOptions{.target = log_path});
  server.start();
  HttpClient early(server.addresses().front());
  if (early.get("/") != "hello") return 1;
  const FileDescriptor log(::open(log_path.c_str(), O_RDONLY | O_CLOEXEC));  // opened while that is possible
  const auto pauses = [&] {
    std::string text(std::size_t{64} * 1024, '\0');
    const auto bytes = ::pread(log.get(), text.data(), text.size(), 0);
    text.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
    constexpr std::string_view line = "cannot accept connections on 127.0.0.1:";
    int count = 0;
    for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) ++count;
    return count;
  };

  const rlimit limit{.rlim_cur = 64, .rlim_max = 64};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
  std::vector<FileDescriptor> fillers;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) fillers.emplace_back(fd);
  if (fillers.empty()) return 3;
  fillers.pop_back();
  HttpClient late(server.addresses().front());  // takes the last one: there is none for the server's side
  if (!becomes_true([&] { return pauses() > 0; })) return 4;
  if (early.get("/") != "hello") return 5;  // others are served meanwhile
  const auto begin = std::chrono::steady_clock::now();
  if (!becomes_true([&] { return pauses() >= 3; })) return 6;
  if (std::chrono::steady_clock::now() - begin < 300ms) return 7;  // 200 ms each: it does not spin
  fillers.clear();
  return late.get("/") == "hello" ? 0 : 8;
}

TEST(ServerDeathTest, OutOfDescriptorsItPausesAndServesAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(::_exit(run_out_of_descriptors()), ::testing::ExitedWithCode(0), "");
}

// NOLINTNEXTLINE(misc-no-recursion): that is the point
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

void overflow_under_a_request() {
  const auto deep = [](const Scope&, Receive&, Send& send) {
    answer(send, std::to_string(recurse(100'000'000)));
  };
  Server server(http_only(deep), on_any_port(1), no_log());
  server.start();
  static_cast<void>(HttpClient(server.addresses().front()).get("/deep"));
}

TEST(ServerDeathTest, StackOverflowIsReportedWithFiberAndRequest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(overflow_under_a_request(), ::testing::KilledBySignal(SIGABRT),
              "atlas: fiber 'client' overflowed its stack while serving 'GET /deep HTTP/1.1'");
}

}  // namespace
}  // namespace atlas::asgi
