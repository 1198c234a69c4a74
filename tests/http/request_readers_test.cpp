// Requests at which readers differ, or might: found by scripts/differential, which says what nginx, h2o and a
// lenient llhttp make of them.
#include <atlas/http/request_parser.hpp>

#include "http/request_transcript.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view next_request = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

struct Taken {
  std::string_view name;
  std::string_view request;
  std::string_view body = {};
};

// All four find the same end of these.
constexpr Taken taken_by_all[] = {
    {"GET with a body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "hello"},
    {"a body that looks like the end of another",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "0\r\n\r\n"},
    {"leading zeros", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 005\r\n\r\nhello", "hello"},
    {"framing fields that Connection names",
     "POST / HTTP/1.1\r\nHost: h\r\nConnection: content-length\r\nContent-Length: 5\r\n\r\nhello", "hello"},
    {"underscores for hyphens",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", "hello"},
    {"characters that browsers send unescaped", "GET /a?\"<>|^`{} HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"two slashes in front", "GET //a HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"an extension without a value",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0;b=c\r\n\r\n",
     "hello"},
    {"trailers",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n00\r\nX: y\r\n\r\n", "x"},
    {"a request to go on with HTTP/2",
     "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\nx", "x"},
};

TEST(RequestReaders, WhatAllTakeEndsWhereTheySay) {
  for (const Taken& taken : taken_by_all) {
    SCOPED_TRACE(taken.name);
    const auto transcript = testing::transcribe(std::string(taken.request) + std::string(next_request));
    EXPECT_THAT(transcript, HasSubstr("\nhead GET /next"));
    EXPECT_THAT(transcript, Not(HasSubstr("error")));
    const auto body = taken.body.empty() ? std::string() : "\nbody " + std::string(taken.body);
    EXPECT_THAT(transcript, HasSubstr(body + "\ncomplete"));
  }
}

struct Refused {
  std::string_view name;
  std::string_view request;
};

// Of each of these at least one of the others finds a request, and goes on behind it.
constexpr Refused taken_by_some[] = {
    {"no target (h2o)", "PUT  HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"two spaces (nginx, llhttp)", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"a tab for a space (llhttp)", "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n"},
    {"a method that is no token (h2o)", "G:T / HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"HTTP/1.1 without Host (h2o, llhttp)", "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"},
    {"a fragment (all)", "GET /#f HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"an empty line that is a bare line feed (all)", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"bare line feeds (all)", "GET / HTTP/1.1\nHost: h\n\n"},
    {"one bare line feed, before the body (all)", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\n\r\nx"},
    {"a host with a brace (all)", "GET / HTTP/1.1\r\nHost: h{\r\n\r\n"},
    {"two hosts in one (all)", "GET / HTTP/1.1\r\nHost: h,i\r\n\r\n"},
    {"two ports (all)", "GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n"},
    {"a folded trailer (all)",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n\r\n"},
    {"a bare CR in a chunk extension (all)",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a\rb\r\nx\r\n0\r\n\r\n"},
};

TEST(RequestReaders, WhatOnlySomeTakeIsRefused) {
  for (const Refused& refused : taken_by_some) {
    SCOPED_TRACE(refused.name);
    const auto transcript = testing::transcribe(std::string(refused.request) + std::string(next_request));
    EXPECT_THAT(transcript, HasSubstr("error 400"));
    EXPECT_THAT(transcript, Not(HasSubstr("/next")));
  }
}

}  // namespace
}  // namespace atlas::http
