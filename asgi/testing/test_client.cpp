#include <atlas/asgi/testing/test_client.hpp>

#include <atlas/asgi/http_connection.hpp>
#include <atlas/asgi/lifespan.hpp>
#include <atlas/asgi/testing/memory_limits.hpp>
#include <atlas/asgi/testing/response_parser.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/virtual_loop.hpp>
#include <atlas/http/characters.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <stdexcept>

namespace atlas::asgi {
namespace {

using atlas::testing::MemoryPeer;

/// What the application does beside its response, of one connection.
struct Observed {
  std::vector<OpenMessage> debug;
  std::exception_ptr exception;
};
using ObservedOf = std::map<std::uint64_t, Observed>;

class DebugSend final : public Send {
 public:
  DebugSend(Send& outer, Observed& observed) : outer_(outer), observed_(observed) {}

 private:
  void handle(MessageRef message) override {
    const auto* open = message.get_if<OpenMessage>();
    if (open == nullptr || open->type != "http.response.debug") return outer_(message);
    observed_.debug.push_back(*open);
  }

  Send& outer_;
  Observed& observed_;
};

/// The application, and an eye on it.
Application watched(Application inner, ObservedOf& observed) {
  return [inner = std::move(inner), &observed](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) return inner(scope, receive, send);
    auto& own = observed[scope.extensions.atlas.connection_id];
    DebugSend debugging(send, own);
    Scope extended = scope;
    extended.extensions.http_response_debug = true;
    try {
      inner(extended, receive, debugging);
    } catch (const Disconnected&) {
      throw;
    } catch (...) {
      own.exception = std::current_exception();
      throw;
    }
  };
}

std::string head_of(std::string_view method, std::string_view target, const TestRequest& request,
                    bool has_body, const TestClientOptions& options, const OwnedHeaders& cookies) {
  auto text = fmt::format("{} {} HTTP/1.1\r\n", method, target);
  const auto add = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
  };
  const auto given = [&](std::string_view name) {
    return std::ranges::any_of(request.headers,
                               [&](const auto& field) { return http::iequals(field.first, name); });
  };
  if (!given("host")) add("host", options.host);
  for (const auto& [name, value] : request.headers) add(name, value);
  if (!cookies.empty() && !given("cookie")) {
    std::string pairs;
    for (const auto& [name, value] : cookies) {
      fmt::format_to(std::back_inserter(pairs), "{}{}={}", pairs.empty() ? "" : "; ", name, value);
    }
    add("cookie", pairs);
  }
  if (has_body) {
    add("transfer-encoding", "chunked");
  } else if (!request.body.empty() && !given("content-length") && !given("transfer-encoding")) {
    add("content-length", std::to_string(request.body.size()));
  }
  return text + "\r\n";
}

bool is_redirect(const TestResponse& response) {
  constexpr int statuses[] = {301, 302, 303, 307, 308};
  return std::ranges::find(statuses, response.status) != std::end(statuses) && response.header("location");
}

/// Of a URL or an absolute path.
std::string target_of(std::string_view location) {
  const auto scheme = location.find("://");
  if (scheme != std::string_view::npos) {
    const auto path = location.find('/', scheme + 3);
    location = path == std::string_view::npos ? std::string_view("/") : location.substr(path);
  }
  return std::string(location.substr(0, location.find('#')));
}

std::string chunk(std::string_view piece) { return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece); }

}  // namespace

std::optional<std::string_view> TestResponse::header(std::string_view name) const noexcept {
  for (const auto& [own, value] : headers) {
    if (http::iequals(own, name)) return value;
  }
  return std::nullopt;
}

std::size_t TestResponse::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [&](const auto& field) { return http::iequals(field.first, name); }));
}

/// A worker without sockets and threads.
class TestClient::Server {
 public:
  Server(Application application, TestClientOptions given)
      : options(std::move(given)),
        application_(watched(std::move(application), observed)),
        admission_(admission_limits(options.server)) {
    loop.run([this] { start_up(); });
  }

  void close() {
    if (!connections_) return;
    std::optional<std::string> error;
    loop.run([&] { error = shut_down(); });
    loop.run_until_idle();  // streams are freed from the loop
    if (error) throw std::runtime_error("the application's shutdown failed: " + *error);
  }

  MemoryPeer connect(std::uint64_t& connection_id) {
    const auto address = SocketAddress::ip(options.client_host, options.client_port).value();
    auto [stream, peer] = atlas::testing::make_memory_stream(loop.scheduler(), {.peer_address = address});
    connection_id = ++connections_made_;
    ConnectionFacts facts{.id = connection_id,
                          .client_host = options.client_host,
                          .client_port = options.client_port,
                          .server_host = options.host,
                          .server_port = 80};
    run_on_loop([&, &moved = stream] { connections_->admit(address, std::move(moved), std::move(facts)); });
    return peer;
  }

  /// As a browser does that minds neither paths nor dates, but for what is over.
  void keep_cookie(std::string_view field) {
    const auto pair = field.substr(0, field.find(';'));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return;
    const auto name = pair.substr(0, equals);
    std::erase_if(cookies, [&](const auto& cookie) { return cookie.first == name; });
    std::string attributes(field.substr(pair.size()));
    http::make_lower(attributes);
    if (attributes.find("max-age=0") == std::string::npos)
      cookies.emplace_back(name, pair.substr(equals + 1));
  }

  TestClientOptions options;
  ObservedOf observed;
  OwnedHeaders cookies;
  VirtualLoop loop;

 private:
  template <class Function>
  void run_on_loop(Function function) {
    loop.run([&] { function(); });
  }

  void start_up() {
    process_.emplace(application_, lifespan_scope(-1));
    if (auto error = process_->start_up()) refuse(*error);
    worker_lifespan_.emplace(application_, lifespan_scope(0, process_->state()));
    if (auto error = worker_lifespan_->start_up()) refuse(*error);
    worker_.emplace(WorkerContext{
        .options = options.server,
        .application = application_,
        .counters = counters_,
        .admission = admission_,
        .worker = 0,
        .state = worker_lifespan_->state(),
        .buffered_bytes_max = or_unlimited(options.server.connection_limits.buffered_bytes_max)});
    connections_.emplace(*worker_);
  }

  [[noreturn]] void refuse(const std::string& error) {
    worker_lifespan_.reset();
    process_.reset();
    throw std::runtime_error("the application could not start: " + error);
  }

  [[nodiscard]] std::optional<std::string> shut_down() {
    connections_.reset();
    auto error = worker_lifespan_->shut_down();
    auto process_error = process_->shut_down();
    worker_lifespan_.reset();
    process_.reset();
    return error ? error : process_error;
  }

  Application application_;
  Admission admission_;
  WorkerCounters counters_;
  std::optional<Lifespan> process_;
  std::optional<Lifespan> worker_lifespan_;
  std::optional<WorkerContext> worker_;
  std::optional<HttpConnections> connections_;
  std::uint64_t connections_made_ = 0;
};

// ---- exchanges ----

struct TestExchange::State {
  State(TestClient::Server& of, bool head_request)
      : server(of), peer(of.connect(connection_id)), parser(head_request) {}
  ~State() {
    peer.close();
    server.loop.run_until_idle();
    server.observed.erase(connection_id);
  }

  /// Takes what has come, while turning, until `enough()`.
  template <class Enough>
  void wait(Enough enough) {
    for (;;) {
      server.loop.run_until_idle();
      take();
      if (enough()) return;
      if (peer.input_ended() || peer.closed()) return parser.end();
      if (!server.loop.step_in_time())
        throw std::runtime_error("the response does not go on: " + server.loop.who_waits());
    }
  }

  void take() {
    const std::string bytes(peer.received());
    peer.discard_received();
    parser.feed(bytes);
  }

  [[nodiscard]] TestResponse response() {
    auto& own = server.observed[connection_id];
    if (server.options.raise_errors && own.exception)
      std::rethrow_exception(std::exchange(own.exception, nullptr));
    TestResponse response{.status = parser.status(),
                          .body = parser.take_body(),
                          .trailers = parser.trailers(),
                          .early_hints = parser.early_hints(),
                          .debug = own.debug,
                          .complete = parser.complete()};
    std::ranges::copy_if(parser.headers(), std::back_inserter(response.headers),
                         [](const auto& field) { return !http::iequals(field.first, "date"); });
    return response;
  }

  TestClient::Server& server;
  std::uint64_t connection_id = 0;
  MemoryPeer peer;
  ResponseParser parser;
};

TestExchange::TestExchange(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TestExchange::TestExchange(TestExchange&&) noexcept = default;
TestExchange& TestExchange::operator=(TestExchange&&) noexcept = default;
TestExchange::~TestExchange() = default;

void TestExchange::send(std::string_view piece) {
  if (!piece.empty()) state_->peer.send(chunk(piece));
  state_->server.loop.run_until_idle();
}

void TestExchange::send_last(std::string_view piece) {
  send(piece);
  state_->peer.send("0\r\n\r\n");
  state_->server.loop.run_until_idle();
}

TestResponse TestExchange::start() {
  auto& self = *state_;
  self.wait([&] { return self.parser.has_head(); });
  if (!self.parser.has_head()) static_cast<void>(self.response());  // throws what the application threw
  if (!self.parser.has_head()) throw std::runtime_error("the connection was closed without a response");
  TestResponse response{.status = self.parser.status(), .early_hints = self.parser.early_hints()};
  std::ranges::copy_if(self.parser.headers(), std::back_inserter(response.headers),
                       [](const auto& field) { return !http::iequals(field.first, "date"); });
  return response;
}

std::optional<std::string> TestExchange::read() {
  auto& self = *state_;
  self.wait([&] { return self.parser.has_body() || self.parser.complete(); });
  if (!self.parser.has_body()) return std::nullopt;
  return self.parser.take_body();
}

std::string TestExchange::read_available() {
  state_->server.loop.run_until_idle();
  state_->take();
  return state_->parser.take_body();
}

void TestExchange::disconnect() {
  state_->peer.reset();
  state_->server.loop.run_until_idle();
}

TestResponse TestExchange::finish() {
  auto& self = *state_;
  self.wait([&] { return self.parser.complete(); });
  return self.response();
}

// ---- the client ----

TestClient::TestClient(Application application, TestClientOptions options)
    : server_(std::make_unique<Server>(std::move(application), std::move(options))) {}

TestClient::~TestClient() {
  try {
    close();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
}

void TestClient::close() { server_->close(); }

void TestClient::advance(Duration duration) { server_->loop.advance(duration); }

TimePoint TestClient::now() const noexcept { return server_->loop.now(); }

void TestClient::run(UniqueFunction code) { server_->loop.run(std::move(code)); }

std::vector<std::pair<std::string, std::string>>& TestClient::cookies() noexcept { return server_->cookies; }

TestExchange TestClient::open(std::string_view method, std::string_view target, const TestRequest& request,
                              bool has_body) {
  auto state = std::make_unique<TestExchange::State>(*server_, method == "HEAD");
  state->peer.send(head_of(method, target, request, has_body, server_->options, server_->cookies));
  if (!request.body.empty()) state->peer.send(has_body ? chunk(request.body) : request.body);
  server_->loop.run_until_idle();
  return TestExchange(std::move(state));
}

TestResponse TestClient::exchange(std::string_view method, std::string_view target,
                                  const TestRequest& request) {
  auto response = open(method, target, request).finish();
  if (!server_->options.keep_cookies) return response;
  for (const auto& [name, value] : response.headers) {
    if (http::iequals(name, "set-cookie")) server_->keep_cookie(value);
  }
  return response;
}

TestResponse TestClient::request(std::string_view method, std::string_view target,
                                 const TestRequest& request) {
  auto response = exchange(method, target, request);
  if (!server_->options.follow_redirects) return response;
  std::string now_method(method);
  auto now_request = request;
  for (int left = server_->options.redirects_max; is_redirect(response); --left) {
    if (left == 0) throw std::runtime_error("too many redirects");
    if (response.status == 303 || (now_method == "POST" && response.status < 303)) {
      if (now_method != "HEAD") now_method = "GET";
      now_request.body.clear();
    }
    response = exchange(now_method, target_of(*response.header("location")), now_request);
  }
  return response;
}

}  // namespace atlas::asgi
