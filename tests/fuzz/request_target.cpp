// The request parser, fed whole, cut where the fuzzer chooses, and byte by byte: all must read the same, and
// what is read must be what RFC 9112 allows, whatever the bytes.
#include "fuzz/fuzz_input.hpp"
#include "fuzz/fuzz_target.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/http/request_parser.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

using http::BodyFraming;
using http::Header;
using http::Limits;
using http::ParseEvent;
using http::RequestHead;
using http::RequestParser;

bool lies_in(std::string_view view, std::span<const char> bytes) {
  const std::less_equal<> not_behind;
  return not_behind(bytes.data(), view.data()) &&
         not_behind(view.data() + view.size(), bytes.data() + bytes.size());
}

std::string text_of(const RequestHead& head) {
  std::string text = fmt::format("{} {} {}|{}|{}|{}.{}\r\n", head.method, head.target, head.path, head.query,
                                 head.host, head.version.major, head.version.minor);
  for (const Header& field : head.headers) text += fmt::format("{}: {}\r\n", field.name, field.value);
  return text + fmt::format("{} {} {} {} {} {}", static_cast<int>(head.body_framing), head.content_length,
                            head.keep_alive, head.upgrade, head.expect_continue, head.accepts_trailers);
}

/// Where one header line is both malformed and one too many, it depends on where the bytes were cut which of
/// the two is seen first.
std::string text_of(const http::ParseError& error) {
  const bool either = error.reason == "malformed header line" || error.reason == "too many header lines";
  return either ? "400 or 431" : fmt::format("{} {}", error.status, error.reason);
}

void check_field(const Header& field) {
  ATLAS_ASSERT(http::is_token(field.name), "a header name is no token");
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  ATLAS_ASSERT(std::ranges::none_of(field.name, is_capital), "a header name has capitals");
  const auto is_control = [](char c) { return (http::byte_of(c) < ' ' && c != '\t') || c == '\x7F'; };
  ATLAS_ASSERT(std::ranges::none_of(field.value, is_control), "a header value has a control character");
  ATLAS_ASSERT(http::trim_ows(field.value) == field.value, "a header value is not trimmed");
}

void check_head(const RequestHead& head, const Limits& limits) {
  ATLAS_ASSERT(head.request_line.size() <= limits.request_line_bytes_max, "a request line is over the limit");
  ATLAS_ASSERT(head.headers.size() <= limits.header_count_max, "there are more headers than the limit");
  ATLAS_ASSERT(http::is_token(head.method), "a method is no token");
  ATLAS_ASSERT(head.path.starts_with('/') || (head.path == "*" && head.method == "OPTIONS"),
               "a path is none");
  std::ranges::for_each(head.headers, check_field);

  const auto lengths = head.headers.count("content-length");
  const auto codings = head.headers.count("transfer-encoding");
  const bool is_1_1 = head.version == http::http_1_1;
  ATLAS_ASSERT(is_1_1 || codings == 0, "a coding was let through in HTTP/1.0");
  ATLAS_ASSERT(lengths + std::min<std::size_t>(codings, 1) <= 1, "a request is framed twice");
  ATLAS_ASSERT((codings > 0) == (head.body_framing == BodyFraming::chunked), "a coding was overlooked");
  ATLAS_ASSERT((lengths > 0) == (head.body_framing == BodyFraming::content_length),
               "a length was overlooked");
  ATLAS_ASSERT(head.headers.count("host") <= 1, "two hosts were let through");
  ATLAS_ASSERT(!is_1_1 || !head.host.empty(), "a host is missing");
}

/// Nobody who writes down what was read, and reads it again, may come to another conclusion.
void check_written_again(const RequestHead& head) {
  std::string text = fmt::format("{}\r\n", head.request_line);
  for (const Header& field : head.headers) text += fmt::format("{}:{}\r\n", field.name, field.value);
  text += "\r\n";
  const Limits limits{.request_line_bytes_max = 1 << 20, .header_bytes_max = 1 << 20, .body_bytes_max = 0};
  RequestParser parser(limits);
  const auto step = parser.parse(text);
  ATLAS_ASSERT(step.event == ParseEvent::head && step.consumed == text.size(), "a head is not read again");
  expect_same(text_of(parser.head()), text_of(head), "a head reads differently once it is written again");
}

/// What a parser makes of an input: a line for each event, and where it ends.
class Reading {
 public:
  explicit Reading(const Limits& limits) : limits_(limits), parser_(limits) {}

  void feed(std::string_view piece) {
    std::vector<char> memory(piece.begin(), piece.end());
    std::span<char> rest(memory);
    while (!refused_) {
      const auto step = parser_.parse(rest);
      ATLAS_ASSERT(step.consumed <= rest.size(), "more was consumed than given");
      const auto given = rest;
      rest = rest.subspan(step.consumed);
      consumed_ += step.consumed;
      if (step.event == ParseEvent::need_more) {
        ATLAS_ASSERT(rest.empty(), "need_more left bytes unconsumed");
        break;
      }
      note(step.event, given);
    }
    if (in_request_) kept_.push_back(std::move(memory));
  }

  [[nodiscard]] const std::string& lines() const noexcept { return lines_; }

 private:
  void note(ParseEvent event, std::span<const char> given) {
    switch (event) {
      case ParseEvent::head: return note_head();
      case ParseEvent::body: return note_body(given);
      case ParseEvent::complete: return note_complete();
      default: return note_error();
    }
  }

  void note_head() {
    in_request_ = true;
    head_ = text_of(parser_.head());
    check_head(parser_.head(), limits_);
    check_written_again(parser_.head());
    lines_ += fmt::format("head to {}: {}\n", consumed_, head_);
  }

  void note_body(std::span<const char> given) {
    ATLAS_ASSERT(!parser_.body().empty(), "a piece of a body is empty");
    ATLAS_ASSERT(lies_in(parser_.body(), given), "a piece of a body lies elsewhere");
    body_ += parser_.body();
    const bool within = limits_.body_bytes_max == 0 || body_.size() <= limits_.body_bytes_max;
    ATLAS_ASSERT(within, "a body is over the limit");
  }

  void note_complete() {
    expect_same(text_of(parser_.head()), head_, "the head has changed while the body came");
    const bool declared = parser_.head().body_framing != BodyFraming::chunked;
    ATLAS_ASSERT(!declared || body_.size() == parser_.head().content_length, "a body has another length");
    ATLAS_ASSERT(parser_.trailers().size() <= limits_.header_count_max, "there are too many trailers");
    lines_ += fmt::format("body {}\ncomplete at {}\n", body_, consumed_);
    for (const Header& field : parser_.trailers()) {
      check_field(field);
      lines_ += fmt::format("trailer {}: {}\n", field.name, field.value);
    }
    ATLAS_ASSERT(parser_.parse({}).event == ParseEvent::complete, "complete does not last");
    parser_.reset();
    ATLAS_ASSERT(!parser_.started(), "a parser has started before its request");
    body_.clear();
    kept_.clear();
    in_request_ = false;
  }

  void note_error() {
    const auto error = parser_.error();
    ATLAS_ASSERT(error.status >= 400 && error.status < 600 && !error.reason.empty(),
                 "an error does not say why");
    lines_ += fmt::format("body {}\nerror {}\n", body_, text_of(error));
    ATLAS_ASSERT(parser_.parse({}).event == ParseEvent::error, "an error does not last");
    refused_ = true;
  }

  const Limits& limits_;
  RequestParser parser_;
  std::string lines_;
  std::string head_;
  std::string body_;
  std::size_t consumed_ = 0;
  bool in_request_ = false;
  bool refused_ = false;
  std::vector<std::vector<char>> kept_;  // since the head, whose views live there
};

Limits chosen_limits(FuzzInput& input) {
  Limits limits;
  const auto tight = input.next();
  if ((tight & 1) != 0) limits.request_line_bytes_max = 32;
  if ((tight & 2) != 0) limits.header_bytes_max = 64;
  if ((tight & 4) != 0) limits.header_count_max = 3;
  if ((tight & 8) != 0) limits.body_bytes_max = 16;
  if ((tight & 16) != 0) limits.chunk_extension_bytes_max = 8;
  if ((tight & 32) != 0) limits.leading_crlf_bytes_max = 2;
  if ((tight & 64) != 0) limits.body_bytes_max = 0;
  return limits;
}

std::string read_in_pieces(FuzzInput input, const Limits& limits) {
  Reading reading(limits);
  while (!input.text().empty()) {
    const bool all = !input.has_choices();
    reading.feed(input.take_text(all ? input.text().size() : input.next() + std::size_t{1}));
  }
  return reading.lines();
}

std::string read_bytes(std::string_view text, const Limits& limits) {
  Reading reading(limits);
  for (std::size_t i = 0; i < text.size(); ++i) reading.feed(text.substr(i, 1));
  return reading.lines();
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  constexpr std::size_t byte_by_byte_max = 512;  // longer ones would take the time of many
  FuzzInput input(bytes);
  const Limits limits = chosen_limits(input);
  Reading whole(limits);
  whole.feed(input.text());
  if (input.has_choices()) {
    expect_same(read_in_pieces(input, limits), whole.lines(), "pieces read differently");
  }
  if (input.text().size() <= byte_by_byte_max) {
    expect_same(read_bytes(input.text(), limits), whole.lines(), "byte by byte it reads differently");
  }
}

}  // namespace atlas::testing
