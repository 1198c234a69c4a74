// What it costs to decide a response's framing and to write its head.
#include <atlas/http/date.hpp>
#include <atlas/http/response_serializer.hpp>

#include <benchmark/benchmark.h>

#include <array>

namespace atlas::http {
namespace {

constexpr std::array<Header, 1> plaintext_headers{{{"content-type", "text/plain"}}};
constexpr std::array<Header, 4> page_headers{{{"content-type", "text/html; charset=utf-8"},
                                              {"cache-control", "public, max-age=60"},
                                              {"etag", "\"5f3c-19\""},
                                              {"vary", "accept-encoding"}}};

void bench_response(benchmark::State& state, const ResponseFacts& facts) {
  DateCache dates;
  ByteBuffer out;
  for (auto _ : state) {
    out.clear();
    const ServerFields fields{.date_line = dates.line(784'111'777), .server = "atlas"};
    append_head(out, facts, choose_framing(facts), fields);
    out.append("Hello, World!");
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK_CAPTURE(bench_response, plaintext, ResponseFacts{.headers = plaintext_headers, .body_bytes = 13});
BENCHMARK_CAPTURE(bench_response, page, ResponseFacts{.headers = page_headers});

void bench_format_date(benchmark::State& state) {
  std::int64_t second = 784'111'777;
  for (auto _ : state) benchmark::DoNotOptimize(format_date(++second));
}

BENCHMARK(bench_format_date);

}  // namespace
}  // namespace atlas::http
