// What the values that handlers return become on the wire.
#include <atlas/asgi/toolkit/response.hpp>

#include "support/http_harness.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace atlas::response_test {
namespace {

using namespace asgi;

/// What a client gets of the response that `make` gives.
template <class Make>
std::string answer_of(Make make, std::string_view method = "GET") {
  testing::HttpHarness harness(
      [&](const Scope& scope, Receive&, Send& send) { Response(make()).send(scope, send); });
  harness.send(std::string(method) + " / HTTP/1.1\r\nhost: a\r\n\r\n");
  return harness.received();
}

TEST(Response, TextHasItsTypeAndLength) {
  EXPECT_EQ(answer_of([] { return text("hello"); }),
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 5\r\n\r\nhello");
}

TEST(Response, HtmlAndContentNameTheirTypes) {
  EXPECT_EQ(
      answer_of([] { return html("<p>", 404); }),
      "HTTP/1.1 404 Not Found\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 3\r\n\r\n<p>");
  EXPECT_EQ(answer_of([] { return content("image/svg+xml", std::string("<svg/>")); }),
            "HTTP/1.1 200 OK\r\ncontent-type: image/svg+xml\r\ncontent-length: 6\r\n\r\n<svg/>");
}

TEST(Response, NoContentHasNoBody) {
  EXPECT_EQ(answer_of([] { return no_content(); }), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Response, RedirectNamesTheLocation) {
  EXPECT_EQ(answer_of([] { return redirect("/there?x=1"); }),
            "HTTP/1.1 303 See Other\r\nlocation: /there?x=1\r\ncontent-length: 0\r\n\r\n");
}

TEST(Response, RedirectRefusesALocationThatWouldSplitTheResponse) {
  EXPECT_THROW(static_cast<void>(redirect("/a\r\nset-cookie: b")), std::invalid_argument);
}

TEST(Response, FieldsAreAddedInTheirOrder) {
  EXPECT_EQ(answer_of([] { return text("").with("x-a", "1").with("x-b", std::string("2")); }),
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nx-a: 1\r\nx-b: 2\r\n"
            "content-length: 0\r\n\r\n");
}

TEST(Response, AStreamIsWrittenPieceByPiece) {
  const auto numbers = [](BodyWriter& body) {
    for (const char* number : {"one ", "two"}) body.write(number);
  };
  EXPECT_EQ(answer_of([&] { return stream("text/plain", numbers); }),
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
            "4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n");
}

TEST(Response, AStreamIsNotCalledForHead) {
  const auto never = [](BodyWriter&) { throw std::logic_error("called"); };
  EXPECT_TRUE(
      answer_of([&] { return stream("text/plain", never); }, "HEAD").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(Response, AStreamThatThrowsIsCut) {
  const auto half = [](BodyWriter& body) {
    body.write("half");
    throw std::runtime_error("no more");
  };
  const auto got = answer_of([&] { return stream("text/plain", half); });
  EXPECT_TRUE(got.ends_with("4\r\nhalf\r\n")) << got;
}

TEST(Response, OtherTypesBecomeResponses) {
  EXPECT_EQ(to_response(std::string("text")).body_text(), "text");
  EXPECT_EQ(to_response("literal").body_text(), "literal");
  EXPECT_EQ(to_response(std::string_view("view")).body_text(), "view");
  EXPECT_EQ(to_response(404).status, 404);
  EXPECT_EQ(to_response(404).body_text(), "404 Not Found\n");
  EXPECT_EQ(to_response(304).body_text(), "");
}

TEST(Response, ANumberThatIsNoStatusIsRefused) {
  for (const int number : {0, 42, 100, 199, 600, -1}) {
    EXPECT_THROW(static_cast<void>(to_response(number)), std::invalid_argument) << number;
  }
}

}  // namespace
}  // namespace atlas::response_test
