// Runs a request parser over an input and writes down what it answers: whole, byte by byte, and cut in two at
// every offset. All of these must read the same.
#pragma once

#include "support/guard_page.hpp"

#include <atlas/http/request_parser.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::http::testing {

// One line for each event; the pieces of a body are joined:
//
//     head GET /a
//     body 12345
//     complete
//     error 400 Host is missing
class Transcriber {
 public:
  explicit Transcriber(const Limits& limits) : parser_(limits) {}

  // Each piece lies before an unreadable page, and is unmapped as soon as the parser's contract allows it.
  void feed(std::string_view piece) {
    auto text = std::make_unique<atlas::testing::GuardedText>(piece);
    std::span<char> rest = text->bytes();
    while (!failed_) {
      const ParseStep step = parser_.parse(rest);
      ASSERT_LE(step.consumed, rest.size());
      rest = rest.subspan(step.consumed);
      if (step.event == ParseEvent::need_more) {
        EXPECT_TRUE(rest.empty()) << "need_more left bytes unconsumed";
        break;
      }
      note(step.event);
      if (step.event == ParseEvent::head) head_text_ = text.get();
    }
    if (head_text_ == text.get()) kept_ = std::move(text);
  }

  [[nodiscard]] std::string finish() {
    flush_body();
    return std::move(transcript_);
  }

 private:
  void note(ParseEvent event) {
    switch (event) {
      case ParseEvent::head: return note_head();
      case ParseEvent::body: body_ += parser_.body(); return;
      case ParseEvent::complete: return note_complete();
      default: return note_error();
    }
  }

  void note_head() {
    head_ = describe_head();
    transcript_ += "head " + head_ + "\n";
  }

  void note_complete() {
    flush_body();
    EXPECT_EQ(describe_head(), head_) << "the head has changed while the body came";
    transcript_ += "complete";
    for (const Header& field : parser_.trailers()) transcript_ += " " + describe(field);
    transcript_ += "\n";
    EXPECT_EQ(parser_.parse({}).event, ParseEvent::complete);
    parser_.reset();
    EXPECT_FALSE(parser_.started());
    kept_.reset();
    head_text_ = nullptr;
  }

  void note_error() {
    flush_body();
    transcript_ +=
        "error " + std::to_string(parser_.error().status) + " " + std::string(parser_.error().reason) + "\n";
    EXPECT_EQ(parser_.parse({}).event, ParseEvent::error);
    failed_ = true;
  }

  void flush_body() {
    if (!body_.empty()) transcript_ += "body " + body_ + "\n";
    body_.clear();
  }

  [[nodiscard]] static std::string describe(const Header& field) {
    return "[" + std::string(field.name) + "=" + std::string(field.value) + "]";
  }

  [[nodiscard]] std::string describe_head() const {
    const RequestHead& head = parser_.head();
    std::string text = std::string(head.method) + " " + std::string(head.path);
    if (!head.query.empty()) text += "?" + std::string(head.query);
    text += " " + std::to_string(head.version.major) + "." + std::to_string(head.version.minor);
    if (!head.host.empty()) text += " @" + std::string(head.host);
    for (const Header& field : head.headers) text += " " + describe(field);
    if (head.body_framing == BodyFraming::content_length)
      text += " length=" + std::to_string(head.content_length);
    if (head.body_framing == BodyFraming::chunked) text += " chunked";
    text += head.keep_alive ? " keep-alive" : " close";
    if (head.upgrade) text += " upgrade";
    if (head.expect_continue) text += " expect-continue";
    if (head.accepts_trailers) text += " te-trailers";
    return text;
  }

  RequestParser parser_;
  std::string transcript_;
  std::string head_;
  std::string body_;
  bool failed_ = false;
  const atlas::testing::GuardedText* head_text_ = nullptr;
  std::unique_ptr<atlas::testing::GuardedText> kept_;
};

inline std::string transcribe_pieces(std::span<const std::string_view> pieces, const Limits& limits = {}) {
  Transcriber transcriber(limits);
  for (std::string_view piece : pieces) transcriber.feed(piece);
  return transcriber.finish();
}

inline std::string transcribe_whole(std::string_view input, const Limits& limits = {}) {
  return transcribe_pieces({&input, 1}, limits);
}

// The transcript of the whole input; a test fails here if any way to cut it reads differently. Long inputs
// are cut in two only at offsets some way apart.
inline std::string transcribe(std::string_view input, const Limits& limits = {}) {
  const std::string whole = transcribe_whole(input, limits);
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < input.size(); ++i) bytes.push_back(input.substr(i, 1));
  EXPECT_EQ(transcribe_pieces(bytes, limits), whole) << "byte by byte";
  const std::size_t stride = input.size() / 1000 + 1;
  for (std::size_t cut = 0; cut <= input.size(); cut += stride) {
    const std::string_view halves[] = {input.substr(0, cut), input.substr(cut)};
    EXPECT_EQ(transcribe_pieces(halves, limits), whole) << "cut at " << cut;
  }
  return whole;
}

// "error 400 Host is missing", or the last line whatever it is.
inline std::string outcome(std::string_view input, const Limits& limits = {}) {
  std::string transcript = transcribe(input, limits);
  if (!transcript.empty()) transcript.pop_back();
  return transcript.substr(transcript.rfind('\n') + 1);
}

}  // namespace atlas::http::testing
