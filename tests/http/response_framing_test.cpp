#include <atlas/http/response_framing.hpp>

#include <gtest/gtest.h>

namespace atlas::http {
namespace {

using Body = ResponseFraming::Body;

constexpr FramingWishes length_7{.content_length = 7};
constexpr FramingWishes close{.close = true};

struct Case {
  const char* name;
  ResponseFacts facts;
  ResponseFraming expected;
};

const Case cases[] = {
    {"known length is declared",
     {.body_bytes = 5},
     {.body = Body::content_length, .content_length = 5, .keep_alive = true}},
    {"empty body is declared",
     {.body_bytes = 0},
     {.body = Body::content_length, .content_length = 0, .keep_alive = true}},
    {"unknown length is chunked", {}, {.body = Body::chunked, .transfer_chunked = true, .keep_alive = true}},
    {"unknown length ends 1.0", {.version = http_1_0}, {.body = Body::until_close}},
    {"known length keeps 1.0 alive",
     {.version = http_1_0, .body_bytes = 5},
     {.body = Body::content_length, .content_length = 5, .keep_alive = true}},
    {"declared length holds",
     {.wishes = length_7},
     {.body = Body::content_length, .content_length = 7, .keep_alive = true}},
    {"declared length goes before the known one",
     {.wishes = length_7, .body_bytes = 5},
     {.body = Body::content_length, .content_length = 7, .keep_alive = true}},
    {"application may close",
     {.wishes = close, .body_bytes = 5},
     {.body = Body::content_length, .content_length = 5, .keep_alive = false}},
    {"server may close",
     {.keep_alive = false, .body_bytes = 5},
     {.body = Body::content_length, .content_length = 5, .keep_alive = false}},
    {"204 has neither body nor length",
     {.status = 204, .body_bytes = 0},
     {.body = Body::none, .keep_alive = true}},
    {"204 drops a declared length",
     {.status = 204, .wishes = length_7},
     {.body = Body::none, .keep_alive = true}},
    {"205 has length 0",
     {.status = 205, .wishes = length_7},
     {.body = Body::none, .content_length = 0, .keep_alive = true}},
    {"304 has no body", {.status = 304, .body_bytes = 0}, {.body = Body::none, .keep_alive = true}},
    {"304 may declare a length",
     {.status = 304, .wishes = length_7},
     {.body = Body::none, .content_length = 7, .keep_alive = true}},
    {"304 keeps 1.0 alive", {.version = http_1_0, .status = 304}, {.body = Body::none, .keep_alive = true}},
    {"HEAD declares the length of GET",
     {.head_request = true, .body_bytes = 5},
     {.body = Body::none, .content_length = 5, .keep_alive = true}},
    {"HEAD keeps a declared length",
     {.head_request = true, .wishes = length_7, .body_bytes = 0},
     {.body = Body::none, .content_length = 7, .keep_alive = true}},
    {"HEAD of unknown length names the coding",
     {.head_request = true},
     {.body = Body::none, .transfer_chunked = true, .keep_alive = true}},
    {"HEAD of unknown length names none to 1.0",
     {.version = http_1_0, .head_request = true},
     {.body = Body::none, .keep_alive = true}},
    {"HEAD with an empty body says nothing of it",
     {.head_request = true, .body_bytes = 0},
     {.body = Body::none, .keep_alive = true}},
    {"HEAD of 204 names no coding",
     {.head_request = true, .status = 204},
     {.body = Body::none, .keep_alive = true}},
    {"trailers need chunks",
     {.body_bytes = 5, .trailers = true},
     {.body = Body::chunked, .transfer_chunked = true, .keep_alive = true, .trailers = true}},
    {"trailers are dropped for 1.0",
     {.version = http_1_0, .body_bytes = 5, .trailers = true},
     {.body = Body::content_length, .content_length = 5, .keep_alive = true}},
    {"trailers are dropped beside a declared length",
     {.wishes = length_7, .trailers = true},
     {.body = Body::content_length, .content_length = 7, .keep_alive = true}},
};

TEST(ResponseFraming, FollowsTheTable) {
  for (const Case& each : cases) {
    const ResponseFraming framing = choose_framing(each.facts);
    SCOPED_TRACE(each.name);
    EXPECT_EQ(framing.body, each.expected.body);
    EXPECT_EQ(framing.content_length, each.expected.content_length);
    EXPECT_EQ(framing.transfer_chunked, each.expected.transfer_chunked);
    EXPECT_EQ(framing.keep_alive, each.expected.keep_alive);
    EXPECT_EQ(framing.trailers, each.expected.trailers);
  }
}

}  // namespace
}  // namespace atlas::http
