#include "simulation/scenario_application.hpp"

#include <atlas/core/connect.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/mutex.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace atlas::testing {
namespace {

struct Wish {
  std::string kind;
  std::string token;
  std::size_t n = 0;
  Duration pause{};
};

std::size_t number(std::string_view query, std::string_view name) {
  const auto at = query.find(fmt::format("{}=", name));
  std::size_t value = 0;
  if (at != std::string_view::npos) {
    const auto* begin = query.data() + at + name.size() + 1;
    std::from_chars(begin, query.data() + query.size(), value);
  }
  return value;
}

Wish wish_of(const asgi::Scope& scope) {
  const auto path = scope.path.substr(1);
  const auto slash = path.find('/');
  return {.kind = std::string(path.substr(0, slash)),
          .token = slash == std::string_view::npos ? std::string() : std::string(path.substr(slash + 1)),
          .n = number(scope.query_string, "n"),
          .pause = std::chrono::milliseconds(number(scope.query_string, "ms"))};
}

/// One request.
class Call {
 public:
  Call(ApplicationLedger& ledger, const SocketAddress& upstream, const asgi::Scope& scope,
       asgi::Receive& receive, asgi::Send& send)
      : ledger_(ledger), upstream_(upstream), wish_(wish_of(scope)), receive_(receive), send_(send) {}

  void serve() {
    const auto& kind = wish_.kind;
    if (kind == "echo") return echo();
    if (kind == "get") return get();
    if (kind == "nap") return pause(), answer(wish_.token);
    if (kind == "ignore") return answer(wish_.token);
    if (kind == "children") return children();
    if (kind == "upstream") return ask_upstream();
    if (kind == "throw") throw std::runtime_error("as asked for");
    if (kind == "half") return half();
    if (kind == "silent") return;
    if (kind == "forever") return forever();
    if (kind == "flood") return flood();
    answer("no such kind", 404);
  }

 private:
  void start(int status = 200) {
    send_(asgi::HttpResponseStart{.status = status, .headers = {{"x-token", wish_.token}}});
  }
  void answer(std::string_view body, int status = 200) {
    start(status);
    send_(asgi::HttpResponseBody{.body = body});
  }
  void pause() {
    if (wish_.pause > Duration::zero()) this_fiber::sleep_for(wish_.pause).value();
  }

  // Sends while it receives, once there is more than a little.
  void echo() {
    start();
    std::string held = wish_.token + ":";
    for (;;) {
      const auto message = receive_();
      const auto* piece = std::get_if<asgi::HttpRequest>(&message);
      if (piece == nullptr) return;
      held += piece->body;
      if (!piece->more_body) return send_(asgi::HttpResponseBody{.body = held});
      if (held.size() < 10'000) continue;
      send_(asgi::HttpResponseBody{.body = held, .more_body = true});
      held.clear();
    }
  }

  void get() {
    constexpr std::size_t pieces = 5;
    const auto body = body_of(wish_.token, wish_.n);
    start();
    for (std::size_t i = 0; i < pieces; ++i) {
      const auto begin = body.size() * i / pieces;
      const auto end = body.size() * (i + 1) / pieces;
      send_(asgi::HttpResponseBody{.body = std::string_view(body).substr(begin, end - begin),
                                   .more_body = i + 1 < pieces});
      pause();
    }
  }

  void children() {
    local::Mutex mutex;
    std::size_t sum = 0;
    FiberGroup group;
    for (std::size_t i = 1; i <= wish_.n; ++i) {
      group.spawn("child", [&, i] {
        const Counted alive(ledger_.children_alive);
        pause();
        const auto lock = mutex.lock().value();
        const auto seen = sum;
        this_fiber::yield();
        sum = seen + i;
      });
    }
    group.join().value();
    answer(std::to_string(sum));
  }

  void ask_upstream() {
    const auto body = fetch();
    body ? answer(*body) : answer("no answer", 502);
  }

  Result<std::string> fetch() {
    auto stream = connect(upstream_, Deadline::after(std::chrono::seconds(5)));
    if (!stream) return Unexpected(stream.error());
    const auto request =
        fmt::format("GET /nap/{} HTTP/1.1\r\nhost: upstream\r\nconnection: close\r\n\r\n", wish_.token);
    if (auto written = (*stream)->write(request); !written) return Unexpected(written.error());
    std::string response;
    for (;;) {
      auto chunk = (*stream)->read_chunk();
      if (!chunk) return Unexpected(chunk.error());
      if (chunk->empty()) break;
      response.append(chunk->bytes().data(), chunk->bytes().size());
    }
    const auto body = response.find("\r\n\r\n");
    if (!response.starts_with("HTTP/1.1 200") || body == std::string::npos) {
      return Unexpected(std::errc::protocol_error);
    }
    return response.substr(body + 4);
  }

  void half() {
    start();
    send_(asgi::HttpResponseBody{.body = body_of(wish_.token, wish_.n), .more_body = true});
    pause();
    throw std::runtime_error("half-way, as asked for");
  }

  void forever() {
    while (!std::holds_alternative<asgi::HttpDisconnect>(receive_())) continue;
  }

  void flood() {
    const auto body = body_of(wish_.token, 5000);
    start();
    for (;;) send_(asgi::HttpResponseBody{.body = body, .more_body = true});
  }

  struct Counted {
    explicit Counted(std::size_t& count) : counter(++count) {}
    ~Counted() { --counter; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::size_t& counter;
  };

  ApplicationLedger& ledger_;
  const SocketAddress& upstream_;
  Wish wish_;
  asgi::Receive& receive_;
  asgi::Send& send_;
};

void live(ApplicationLedger& ledger, asgi::Receive& receive, asgi::Send& send) {
  for (;;) {
    const auto message = receive();
    if (std::holds_alternative<asgi::LifespanStartup>(message)) {
      ++ledger.lifespans_open;
      send(asgi::LifespanStartupComplete{});
    } else {
      --ledger.lifespans_open;
      return send(asgi::LifespanShutdownComplete{});
    }
  }
}

/// Counts one call, however it ends.
class Entry {
 public:
  explicit Entry(ApplicationLedger& ledger) : ledger_(ledger) { ++ledger_.entered; }
  ~Entry() { ++ledger_.left; }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  ApplicationLedger& ledger_;
};

}  // namespace

std::string body_of(std::string_view token, std::size_t bytes) {
  std::string body;
  body.reserve(bytes + token.size() + 1);
  while (body.size() < bytes) body.append(token).append("|");
  body.resize(bytes);
  return body;
}

asgi::Application scenario_application(ApplicationLedger& ledger, const SocketAddress& upstream) {
  return [&ledger, upstream](const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
    if (scope.type == asgi::ScopeType::lifespan) return live(ledger, receive, send);
    const Entry entry(ledger);
    Call(ledger, upstream, scope, receive, send).serve();
  };
}

}  // namespace atlas::testing
