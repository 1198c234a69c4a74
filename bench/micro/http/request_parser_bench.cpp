// What it costs to parse a request's head, as load generators and as browsers send it, and chunked bodies.
#include <atlas/http/request_parser.hpp>

#include <benchmark/benchmark.h>

#include <span>
#include <string>
#include <string_view>

namespace atlas::http {
namespace {

constexpr std::string_view wrk_request = "GET /plaintext HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";

constexpr std::string_view browser_request =
    "GET /articles/2026/11/fibers?ref=front HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n"
    "Referer: https://www.example.com/articles\r\n"
    "Cookie: session=0123456789abcdef; theme=dark\r\n"
    "\r\n";

constexpr std::string_view chunked_request =
    "POST /upload HTTP/1.1\r\nHost: localhost:8080\r\nTransfer-Encoding: chunked\r\n\r\n"
    "10\r\n0123456789abcdef\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";

// Parses the one request in `bytes` to its end.
void parse_whole(RequestParser& parser, std::span<char> bytes) {
  for (;;) {
    const ParseStep step = parser.parse(bytes);
    bytes = bytes.subspan(step.consumed);
    if (step.event == ParseEvent::complete || step.event == ParseEvent::error) return;
  }
}

void bench_request(benchmark::State& state, std::string_view request) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes(request);
  for (auto _ : state) {
    bytes.replace(0, request.size(), request);  // the parser has put header names into lower case
    parser.reset();
    parse_whole(parser, bytes);
    benchmark::DoNotOptimize(parser.head());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
}

BENCHMARK_CAPTURE(bench_request, wrk, wrk_request);
BENCHMARK_CAPTURE(bench_request, browser, browser_request);
BENCHMARK_CAPTURE(bench_request, chunked, chunked_request);

void bench_split_head(benchmark::State& state) {
  const Limits limits;
  RequestParser parser(limits);
  std::string bytes(browser_request);
  const auto middle = bytes.size() / 2;
  for (auto _ : state) {
    parser.reset();
    benchmark::DoNotOptimize(parser.parse(std::span(bytes).first(middle)));
    parse_whole(parser, std::span(bytes).subspan(middle));
  }
}

BENCHMARK(bench_split_head);

}  // namespace
}  // namespace atlas::http
