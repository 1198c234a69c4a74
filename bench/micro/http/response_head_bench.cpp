// What it costs to take a response's head, to decide its framing and to write it.
#include <atlas/http/date.hpp>
#include <atlas/http/response_head.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <span>

namespace atlas::http {
namespace {

constexpr std::array<Header, 1> plaintext_headers{{{"content-type", "text/plain"}}};
constexpr std::array<Header, 4> page_headers{{{"content-type", "text/html; charset=utf-8"},
                                              {"cache-control", "public, max-age=60"},
                                              {"etag", "\"5f3c-19\""},
                                              {"vary", "accept-encoding"}}};

void bench_response(benchmark::State& state, std::span<const Header> headers, ResponseFacts facts) {
  DateCache dates;
  ResponseHead head;
  ByteBuffer out;
  for (auto _ : state) {
    out.clear();
    const ServerFields fields{.date_line = dates.line(784'111'777), .server_line = "server: atlas\r\n"};
    benchmark::DoNotOptimize(head.hold(facts.status, headers));
    facts.wishes = head.wishes();
    head.append_to(out, choose_framing(facts), facts.version, fields);
    out.append("Hello, World!");
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK_CAPTURE(bench_response, plaintext, plaintext_headers, ResponseFacts{.body_bytes = 13});
BENCHMARK_CAPTURE(bench_response, page, page_headers, ResponseFacts{});

void bench_format_date(benchmark::State& state) {
  std::int64_t second = 784'111'777;
  for (auto _ : state) benchmark::DoNotOptimize(format_date(++second));
}

BENCHMARK(bench_format_date);

}  // namespace
}  // namespace atlas::http
