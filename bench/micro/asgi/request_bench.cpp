// What a whole request costs without a kernel: from bytes on a stream in memory through parser, scope,
// application and serializer back to bytes. The stream's own share is in it, and is the same for all.
#include "support/http_harness.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

namespace atlas::asgi {
namespace {

using testing::HttpHarness;

constexpr std::string_view plaintext_request = "GET /plaintext HTTP/1.1\r\nHost: localhost:8000\r\n\r\n";

void plaintext(const Scope&, Receive&, Send& send) {
  send(HttpResponseStart{.status = 200, .headers = {{"content-type", "text/plain"}}});
  send(HttpResponseBody{.body = "Hello, World!"});
}

void echo(const Scope&, Receive& receive, Send& send) {
  send(HttpResponseStart{});
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<HttpRequest>(&message);
    if (piece == nullptr) return;
    more = piece->more_body;
    send(HttpResponseBody{.body = piece->body, .more_body = more});
  }
}

/// Sends `requests`, which are `count`, in one segment and takes the answers, over and over on one
/// connection.
void bench_segment(benchmark::State& state, const Application& application, std::string_view requests,
                   std::int64_t count) {
  HttpHarness harness(application, {});
  auto& client = harness.client();
  for (auto _ : state) {
    client.send(requests);
    harness.run();
    benchmark::DoNotOptimize(client.received().data());
    client.discard_received();
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void bench_keep_alive_request(benchmark::State& state) {
  bench_segment(state, plaintext, plaintext_request, 1);
}
BENCHMARK(bench_keep_alive_request);

void bench_pipelined_requests(benchmark::State& state) {
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += plaintext_request;
  bench_segment(state, plaintext, requests, 16);
}
BENCHMARK(bench_pipelined_requests);

void bench_echo_1_kib(benchmark::State& state) {
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 1024\r\n\r\n" + std::string(1024, 'x');
  bench_segment(state, echo, request, 1);
}
BENCHMARK(bench_echo_1_kib);

}  // namespace
}  // namespace atlas::asgi
