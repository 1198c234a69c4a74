#include "simulation/scenario.hpp"

#include "simulation/scenario_application.hpp"
#include "simulation/scenario_client.hpp"
#include "support/simulated_world.hpp"

#include <atlas/asgi/server.hpp>
#include <atlas/core/fiber.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <string_view>

namespace atlas::testing {
namespace {

using namespace std::chrono_literals;

class Scenario {
 public:
  explicit Scenario(std::uint64_t seed)
      : random_(seed), calm_(random_.coin()), world_({.seed = seed, .weather = weather()}) {}

  ScenarioOutcome run() {
    try {
      world_.run([this] { tell(); });
    } catch (const std::exception& error) {
      complain(error.what());
    }
    check_end();
    return {.complaints = std::move(complaints_), .requests = requests_, .fingerprint = world_.fingerprint()};
  }

 private:
  NetworkWeather weather() {
    NetworkWeather weather{.latency_max = random_.between(50us, 20ms),
                           .window_bytes = random_.between(500, 100'000),
                           .partial_writes = odds(500),
                           .partial_reads = odds(500)};
    if (calm_) return weather;
    weather.resets = random_.coin() ? odds(30) : 0;
    weather.refusals = random_.coin() ? odds(100) : 0;
    weather.accept_failures = random_.coin() ? odds(300) : 0;
    return weather;
  }

  asgi::ServerOptions server_options() {
    asgi::ServerOptions options{.host = "10.0.0.80", .port = 80};
    options.workers = static_cast<int>(random_.between(1, 3));
    options.backlog = static_cast<int>(random_.between(1, 100));
    options.write_buffer_bytes_max = random_.between(0, 20'000);
    options.stall_threshold = 0ns;
    options.scheduler.read_chunk_bytes = random_.between(1, 20) * 1024;
    if (calm_) return options;
    auto& timeouts = options.timeouts;
    for (auto* timeout : {&timeouts.header, &timeouts.body, &timeouts.keep_alive, &timeouts.write,
                          &timeouts.linger, &timeouts.drain}) {
      *timeout = random_.between(10ms, random_.coin() ? 200ms : 5s);
    }
    if (random_.coin()) timeouts.request = random_.between(10ms, 2s);
    return options;
  }

  void tell() {
    const auto address = SocketAddress::ip("10.0.0.80", 80).value();
    asgi::Server server(scenario_application(ledger_, address), server_options());
    server.start();
    const bool stopped_early = !calm_ && random_.per_mille(400);
    FiberGroup clients;
    for (auto left = random_.between(1, 6); left > 0; --left) {
      clients.spawn("client", [this, address, seed = random_.next()] { be_client(address, seed); });
    }
    if (stopped_early) {
      static_cast<void>(clients.join(Deadline::after(random_.between(0ms, 500ms))));
      server.stop();
      if (random_.coin()) clients.cancel();
    }
    clients.join().value();
    if (!stopped_early) check_forgotten(server);
    server.stop();
    check_server(server.status().totals());
  }

  /// Nobody has to be stopped to forget a client that has left.
  void check_forgotten(const asgi::Server& server) {
    constexpr auto longest_timeout = 30s;
    this_fiber::sleep_for(longest_timeout).value();
    expect(ledger_.entered == ledger_.left, "a call of the application outlives its client");
    expect(server.status().totals().connections_open == 0, "a connection outlives its client");
  }

  void be_client(const SocketAddress& address, std::uint64_t seed) {
    Random random(seed);
    auto plan = client_plan(random);
    if (calm_) count_expected(plan);
    static_cast<void>(this_fiber::sleep_for(random.between(0ms, 50ms)));
    auto found = run_client(address, plan, random);
    std::ranges::move(found, std::back_inserter(complaints_));
  }

  ClientPlan client_plan(Random& random) {
    ClientPlan plan{.pipelined_max = random.between(1, 5),
                    .pause_max = random.coin() ? Duration(random.between(1us, 50ms)) : Duration::zero(),
                    .calm = calm_};
    std::size_t bytes = 0;
    for (auto left = random.between(1, 6); left > 0; --left) {
      plan.exchanges.push_back(any_exchange(random));
      bytes += plan.exchanges.back().request.size();
    }
    if (calm_) return plan;
    plan.leaves_after_bytes = random.between(1, 2 * bytes);
    plan.leaves_by_half = random.coin();
    if (random.per_mille(300)) plan.pause_max = random.between(1ms, 3s);
    if (random.per_mille(300)) plan.reads_slowly = random.between(1ms, 1s);
    return plan;
  }

  Exchange any_exchange(Random& random) {
    const auto token = fmt::format("t{}x{}", ++tokens_, random.below(1000));
    const auto n = random.coin() ? random.below(500) : random.below(150'000);
    const auto ms = random.coin() ? 0 : random.per_mille(200) ? 5000 : random.below(200);
    const auto takes = std::chrono::milliseconds(ms);
    switch (random.below(calm_ ? 11 : 13)) {
      case 0: return echo(token, body_of(token, n), random);
      case 1: return get(token, n, ms / 5);
      case 2: return {.request = head("HEAD", "get", token, n), .token = token, .to_head = true};
      case 3:
        return {.request = head("GET", "nap", token, 0, ms), .token = token, .body = token, .takes = takes};
      case 4: return ignored(token, body_of(token, std::min<std::size_t>(n, 50'000)));
      case 5: return children(token, random.below(20), ms);
      case 6:
        return {
            .request = head("GET", "upstream", token, 0, ms), .token = token, .body = token, .takes = takes};
      case 7: return {.request = head("GET", "throw", token), .token = token, .status = 500, .ends = true};
      case 8: return half(token, n, ms);
      case 9: return {.request = head("GET", "silent", token), .token = token, .status = 500, .ends = true};
      case 10: return malformed(token, random);
      case 11: return endless("forever", token);
      default: return endless("flood", token);
    }
  }

  static std::string head(std::string_view method, std::string_view kind, std::string_view token,
                          std::size_t n = 0, std::size_t ms = 0, std::string_view fields = "") {
    return fmt::format("{} /{}/{}?n={}&ms={} HTTP/1.1\r\nhost: 10.0.0.80\r\n{}\r\n", method, kind, token, n,
                       ms, fields);
  }

  static Exchange echo(const std::string& token, const std::string& body, Random& random) {
    Exchange exchange{.token = token, .body = token + ":" + body};
    const std::string_view expect = random.per_mille(200) ? "expect: 100-continue\r\n" : "";
    if (random.coin()) {
      exchange.request =
          head("POST", "echo", token, 0, 0, fmt::format("content-length: {}\r\n{}", body.size(), expect)) +
          body;
      return exchange;
    }
    exchange.request =
        head("POST", "echo", token, 0, 0, fmt::format("transfer-encoding: chunked\r\n{}", expect));
    for (std::string_view rest = body; !rest.empty();) {
      const auto size = random.between(1, rest.size());
      exchange.request += fmt::format("{:x}\r\n{}\r\n", size, rest.substr(0, size));
      rest.remove_prefix(size);
    }
    exchange.request += "0\r\n\r\n";
    return exchange;
  }

  static Exchange get(const std::string& token, std::size_t n, std::size_t ms) {
    return {.request = head("GET", "get", token, n, ms),
            .token = token,
            .body = body_of(token, n),
            .takes = 5 * std::chrono::milliseconds(ms)};
  }
  static Exchange ignored(const std::string& token, const std::string& body) {
    return {
        .request =
            head("POST", "ignore", token, 0, 0, fmt::format("content-length: {}\r\n", body.size())) + body,
        .token = token,
        .body = token};
  }
  static Exchange children(const std::string& token, std::size_t n, std::size_t ms) {
    return {.request = head("GET", "children", token, n, ms),
            .token = token,
            .body = std::to_string(n * (n + 1) / 2),
            .takes = std::chrono::milliseconds(ms)};
  }
  static Exchange half(const std::string& token, std::size_t n, std::size_t ms) {
    return {.request = head("GET", "half", token, n, ms),
            .token = token,
            .body = body_of(token, n),
            .takes = std::chrono::milliseconds(ms),
            .ends = true,
            .cut = true};
  }
  static Exchange endless(std::string_view kind, const std::string& token) {
    return {.request = head("GET", kind, token), .token = token, .ends = true, .endless = true};
  }
  static Exchange malformed(const std::string& token, Random& random) {
    constexpr std::string_view requests[] = {
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nhost: a\r\n\r\n", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n"};
    return {.request = std::string(requests[random.below(std::size(requests))]),
            .token = token,
            .status = 400,
            .ends = true};
  }

  void count_expected(const ClientPlan& plan) {
    for (const auto& exchange : plan.exchanges) {
      if (exchange.status == 400) continue;
      requests_expected_ += exchange.request.starts_with("GET /upstream") ? 2U : 1U;
      failures_expected_ += exchange.ends ? 1U : 0U;
    }
  }

  void check_server(const asgi::ServerStatus::Totals& totals) {
    requests_ = totals.requests;
    expect(totals.connections_open == 0, "connections are counted as open");
    if (!calm_) return;
    expect(totals.requests == requests_expected_,
           fmt::format("{} requests were served, {} sent", totals.requests, requests_expected_));
    expect(totals.application_failures == failures_expected_,
           fmt::format("{} failures were counted instead of {}", totals.application_failures,
                       failures_expected_));
  }

  void check_end() {
    const auto& totals = world_.network().totals();
    expect(ledger_.entered == ledger_.left, "a call of the application has not ended");
    expect(ledger_.children_alive == 0, "a child of a request is alive");
    expect(ledger_.lifespans_open == 0, "a lifespan was not shut down");
    expect(totals.streams_open == 0 && totals.listeners_open == 0, "a socket was left open");
    expect(totals.bytes_written == totals.bytes_delivered + totals.bytes_lost,
           fmt::format("{} bytes were written, {} delivered, {} lost", totals.bytes_written,
                       totals.bytes_delivered, totals.bytes_lost));
  }

  void expect(bool holds, std::string complaint) {
    if (!holds) complain(std::move(complaint));
  }
  void complain(std::string complaint) { complaints_.push_back(std::move(complaint)); }
  unsigned odds(std::size_t most) { return static_cast<unsigned>(random_.below(most + 1)); }

  Random random_;
  const bool calm_;
  SimulatedWorld world_;
  ApplicationLedger ledger_;
  std::vector<std::string> complaints_;
  std::uint64_t requests_ = 0;
  std::uint64_t requests_expected_ = 0;
  std::uint64_t failures_expected_ = 0;
  std::uint64_t tokens_ = 0;
};

}  // namespace

ScenarioOutcome run_scenario(std::uint64_t seed) { return Scenario(seed).run(); }

}  // namespace atlas::testing
