#include <atlas/http/request_parser.hpp>

#include "http/request_transcript.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

namespace atlas::http {
namespace {

using testing::outcome;

std::string chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

TEST(RequestLimits, RequestLine) {
  const std::string line = "GET /" + std::string(100, 'a') + " HTTP/1.0";
  const std::string request = line + "\r\n\r\n";
  EXPECT_EQ(outcome(request, {.request_line_bytes_max = line.size()}), "complete");
  EXPECT_EQ(outcome(request, {.request_line_bytes_max = line.size() - 1}),
            "error 414 request line is too long");
}

TEST(RequestLimits, RequestLineIsRefusedBeforeItsEnd) {
  EXPECT_EQ(outcome("GET /" + std::string(100, 'a'), {.request_line_bytes_max = 50}),
            "error 414 request line is too long");
}

TEST(RequestLimits, HeaderBytes) {
  const std::string section = "Host: h\r\nA: " + std::string(100, 'a') + "\r\n\r\n";
  const std::string request = "GET / HTTP/1.1\r\n" + section;
  EXPECT_EQ(outcome(request, {.header_bytes_max = section.size()}), "complete");
  EXPECT_EQ(outcome(request, {.header_bytes_max = section.size() - 1}),
            "error 431 header section is too long");
}

TEST(RequestLimits, HeaderBytesDoNotCountTheRequestLine) {
  const std::string request = "GET /" + std::string(100, 'a') + " HTTP/1.0\r\nA: b\r\n\r\n";
  EXPECT_EQ(outcome(request, {.header_bytes_max = 8}), "complete");
}

TEST(RequestLimits, HeaderCount) {
  std::string request = "GET / HTTP/1.0\r\n";
  for (int i = 0; i < 5; ++i) request += "A: b\r\n";
  request += "\r\n";
  EXPECT_EQ(outcome(request, {.header_count_max = 5}), "complete");
  EXPECT_EQ(outcome(request, {.header_count_max = 4}), "error 431 too many header lines");
}

TEST(RequestLimits, DefaultHeaderCount) {
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "a: b\r\n";
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\n" + fields + "\r\n"), "complete");
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\n" + fields + "a: b\r\n\r\n"), "error 431 too many header lines");
}

TEST(RequestLimits, TrailersHaveTheHeadersLimitsForThemselves) {
  const std::string request = chunked("0\r\nA: b\r\nC: d\r\n\r\n");
  EXPECT_EQ(outcome(request, {.header_count_max = 2}), "complete [a=b] [c=d]");
  EXPECT_EQ(outcome(chunked("0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n"), {.header_count_max = 2}),
            "error 431 too many header lines");
  EXPECT_EQ(outcome(chunked("0\r\nA: " + std::string(100, 'a') + "\r\n\r\n"), {.header_bytes_max = 60}),
            "error 431 header section is too long");
}

TEST(RequestLimits, DeclaredBody) {
  const std::string head = "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(outcome(head + "12345", {.body_bytes_max = 5}), "complete");
  EXPECT_EQ(testing::transcribe(head, {.body_bytes_max = 4}), "error 413 declared body is too large\n");
}

TEST(RequestLimits, ChunkedBody) {
  const std::string request = chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(outcome(request, {.body_bytes_max = 5}), "complete");
  EXPECT_EQ(outcome(request, {.body_bytes_max = 4}), "error 413 body is too large");
  EXPECT_EQ(outcome(chunked("FFFFFFFFFFFFFFFF\r\n")), "error 413 body is too large");
}

TEST(RequestLimits, BodyMayBeUnlimited) {
  const Limits limits{.body_bytes_max = 0};
  EXPECT_TRUE(outcome("POST / HTTP/1.0\r\nContent-Length: 18446744073709551615\r\n\r\n", limits)
                  .starts_with("head "));
  EXPECT_EQ(outcome(chunked("FFFFFFFFFFFFFFFE\r\na"), limits), "body a");
  EXPECT_EQ(outcome(chunked("1\r\na\r\nFFFFFFFFFFFFFFFF\r\n"), limits), "error 413 body is too large");
}

TEST(RequestLimits, ChunkExtensions) {
  const std::string request = chunked("1;abc\r\na\r\n1 ;d\r\nb\r\n0\r\n\r\n");  // 4 bytes and 3
  EXPECT_EQ(outcome(request, {.chunk_extension_bytes_max = 7}), "complete");
  EXPECT_EQ(outcome(request, {.chunk_extension_bytes_max = 6}), "error 400 chunk extensions are too long");
}

TEST(RequestLimits, EmptyLines) {
  const std::string request = "\r\n\r\nGET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(outcome(request, {.leading_crlf_bytes_max = 4}), "complete");
  EXPECT_EQ(outcome(request, {.leading_crlf_bytes_max = 3}),
            "error 400 too many empty lines before the request line");
}

TEST(RequestLimits, EmptyLinesAreCountedForEachRequest) {
  const std::string request = "\r\n\r\nGET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(outcome(request + request, {.leading_crlf_bytes_max = 4}), "complete");
}

}  // namespace
}  // namespace atlas::http
