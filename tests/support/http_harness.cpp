#include "support/http_harness.hpp"

#include <atlas/asgi/testing/memory_limits.hpp>

#include <utility>

namespace atlas::testing {

namespace {

SocketAddress client_address(const asgi::ConnectionFacts& facts) {
  if (facts.client_host.empty()) return {};
  return SocketAddress::ip(facts.client_host, facts.client_port.value_or(0)).value();
}

}  // namespace

asgi::ServerOptions plain_options() {
  asgi::ServerOptions options;
  options.server_name.clear();
  return options;
}

void answer(asgi::Send& send, std::string_view body, int status) {
  send(asgi::HttpResponseStart{.status = status});
  send(asgi::HttpResponseBody{.body = body});
}

std::optional<std::string> read_body(asgi::Receive& receive) {
  std::string body;
  for (;;) {
    const auto message = receive();
    const auto* piece = std::get_if<asgi::HttpRequest>(&message);
    if (piece == nullptr) return std::nullopt;
    body += piece->body;
    if (!piece->more_body) return body;
  }
}

std::string without_dates(std::string_view responses) {
  std::string rest(responses);
  for (std::size_t begin = 0; (begin = rest.find("date: ", begin)) != std::string::npos;) {
    rest.erase(begin, rest.find('\n', begin) + 1 - begin);
  }
  return rest;
}

HttpHarness::HttpHarness(asgi::Application application, const asgi::ServerOptions& options,
                         const asgi::State& state)
    : options_(options),
      application_(std::move(application)),
      admission_(asgi::admission_limits(options)),
      worker_{.options = options_,
              .application = application_,
              .counters = counters_,
              .admission = admission_,
              .worker = 3,
              .state = state,
              .buffered_bytes_max = asgi::or_unlimited(options.connection_limits.buffered_bytes_max)},
      connections_(std::in_place, worker_) {}

HttpHarness::~HttpHarness() {
  if (draining_ > 0) loop_.advance(std::chrono::hours(24));
  loop_.run([this] { connections_.reset(); });
  loop_.run_until_idle();  // streams are freed from the loop
}

MemoryPeer HttpHarness::connect(const MemoryStreamOptions& options) {
  return connect(
      options,
      {.client_host = "192.0.2.1", .client_port = 4000, .server_host = "192.0.2.80", .server_port = 80});
}

MemoryPeer HttpHarness::connect(const MemoryStreamOptions& options, asgi::ConnectionFacts facts) {
  auto [stream, peer] = make_memory_stream(loop_.scheduler(), options);
  facts.id = next_connection_id_++;
  loop_.run([&, accepted = std::move(stream)]() mutable {
    const auto address = client_address(facts);
    connections_->admit(address, std::move(accepted), std::move(facts));
  });
  return peer;
}

MemoryPeer& HttpHarness::client() {
  if (!client_) client_ = connect();
  return *client_;
}

void HttpHarness::send(std::string_view bytes) {
  client().send(bytes);
  run();
}

std::string HttpHarness::received() { return without_dates(client().received()); }

std::string HttpHarness::take() {
  auto text = received();
  client().discard_received();
  return text;
}

void HttpHarness::drain(Duration patience) {
  ++draining_;
  loop_.start("drain", [this, patience] {
    const bool whole = connections_->drain(Deadline::after(patience));
    if (--draining_ == 0) drained_ = whole;
  });
  run();
}

}  // namespace atlas::testing
