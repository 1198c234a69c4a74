// What writes responses: whatever an application wishes for, what comes out is one response that says what
// was asked for, and a next one behind it is read as the next one.
#include "fuzz/fuzz_input.hpp"
#include "fuzz/fuzz_target.hpp"
#include "fuzz/response_reader.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/http/response_check.hpp>
#include <atlas/http/response_head.hpp>
#include <atlas/http/response_serializer.hpp>
#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

using http::Header;
using http::ResponseFacts;
using Body = http::ResponseFraming::Body;

constexpr http::ServerFields server_fields{.date_line = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                                           .server_line = "server: atlas\r\n",
                                           .timing_line = {}};

/// The text's lines "name:value", with whatever bytes they have. A NUL stands between fields, since a
/// line feed is what a value might smuggle in.
std::vector<Header> fields_in(std::string_view text) {
  std::vector<Header> fields;
  while (!text.empty()) {
    const auto field = text.substr(0, text.find('\0'));
    const auto colon = field.find(':');
    fields.push_back({.name = field.substr(0, colon),
                      .value = colon == std::string_view::npos ? "" : field.substr(colon + 1)});
    text.remove_prefix(std::min(field.size() + 1, text.size()));
  }
  return fields;
}

/// What the application gave and the server does not write itself.
std::string plain_fields(const std::vector<Header>& fields) {
  std::string text;
  for (const Header& field : fields) {
    const bool framing = http::iequals(field.name, "content-length") ||
                         http::iequals(field.name, "connection") ||
                         http::iequals(field.name, "transfer-encoding");
    if (framing) continue;
    std::string name(field.name);
    http::make_lower(name);
    text += fmt::format("{}: {}\n", name, http::trim_ows(field.value));
  }
  return text;
}

std::string written_fields(const ReadResponse& response, const std::string& plain) {
  std::string text;
  const auto given = [&plain](std::string_view name) {
    return ("\n" + plain).find(fmt::format("\n{}: ", name)) != std::string::npos;
  };
  const bool date_given = given("date");
  const bool server_given = given("server");
  for (const auto& [name, value] : response.fields) {
    const bool framing = name == "content-length" || name == "connection" || name == "transfer-encoding";
    const bool added = (name == "date" && !date_given) || (name == "server" && !server_given);
    if (!framing && !added) text += fmt::format("{}: {}\n", name, value);
  }
  return text;
}

/// One response, as its writer goes about it.
class Writer {
 public:
  Writer(FuzzInput& input, ByteBuffer& out) : input_(input), out_(out) {}

  /// False when the fields are refused.
  bool write(int status, const std::vector<Header>& fields) {
    http::ResponseHead head;
    if (head.hold(status, fields)) return false;
    const std::size_t sizes[] = {5, 0, 1, 700};
    body_.assign(input_.one_of(sizes), 'b');
    facts_ = {.version = input_.coin() ? http::http_1_0 : http::http_1_1,
              .head_request = input_.coin(),
              .keep_alive = !input_.coin(),
              .status = status,
              .wishes = head.wishes(),
              .body_bytes = std::nullopt,
              .trailers = input_.coin()};
    if (!input_.coin()) facts_.body_bytes = body_.size();
    framing_ = http::choose_framing(facts_);
    if (framing_.body == Body::content_length)
      body_.resize(std::min<std::uint64_t>(*framing_.content_length, 1000), 'b');
    head.append_to(out_, framing_, facts_.version, server_fields);
    write_body();
    return true;
  }

  [[nodiscard]] Asked asked() const {
    return {.head = facts_.head_request, .http_1_0 = facts_.version == http::http_1_0};
  }
  [[nodiscard]] const http::ResponseFraming& framing() const noexcept { return framing_; }
  /// What the response's body must be; a declared length may be more than is worth to be sent.
  [[nodiscard]] std::string_view body() const noexcept {
    const std::string_view all = body_;
    return framing_.body == Body::none ? all.substr(0, 0) : all;
  }
  [[nodiscard]] bool whole() const noexcept {
    return framing_.body != Body::content_length || *framing_.content_length == body_.size();
  }

 private:
  void write_body() {
    if (framing_.body == Body::none) return;
    if (framing_.body != Body::chunked) return out_.append(body_);
    for (std::string_view rest = body_; !rest.empty();) {
      const auto piece = rest.substr(0, input_.next() + std::size_t{1});
      http::append_chunk_head(out_, piece.size());
      out_.append(piece);
      out_.append(http::chunk_end);
      rest.remove_prefix(piece.size());
    }
    const Header trailer{"x-trailer", "t"};
    http::append_last_chunk(out_, {&trailer, framing_.trailers ? std::size_t{1} : std::size_t{0}});
  }

  FuzzInput& input_;
  ByteBuffer& out_;
  ResponseFacts facts_;
  http::ResponseFraming framing_;
  std::string body_;
};

void check_response(const Writer& writer, const ReadResponse& response, int status, std::string_view rest) {
  ATLAS_ASSERT(response.status == status, "the status has changed");
  expect_same(response.body, writer.body(), "the body has changed");
  ATLAS_ASSERT(!writer.framing().keep_alive || response.keeps_alive, "the connection is said to end");
  ATLAS_ASSERT(writer.framing().keep_alive || !response.keeps_alive, "the connection is said to go on");
  if (!writer.whole()) return;
  ATLAS_ASSERT(response.complete, "a response is not complete");
  ATLAS_ASSERT(rest.empty(), "there is more than one response");
  ATLAS_ASSERT(response.trailers.size() == (writer.framing().trailers ? 1U : 0U), "trailers have changed");
}

void check_final(FuzzInput input, const std::vector<Header>& fields) {
  const auto status = static_cast<int>(200 + (input.next() * 255U + input.next()) % 400);
  ByteBuffer out;
  Writer writer(input, out);
  if (!writer.write(status, fields)) {
    ATLAS_ASSERT(out.empty(), "something of refused fields was written");
    return;
  }
  auto rest = out.view();
  const auto response = read_response(rest, writer.asked(), true);
  check_response(writer, response, status, rest);
  const auto plain = plain_fields(fields);
  expect_same(written_fields(response, plain), plain, "the fields have changed");
}

void check_interim(FuzzInput input, const std::vector<Header>& fields) {
  if (http::find_interim_fault(fields)) return;
  const auto framing = [](const Header& field) {
    return http::iequals(field.name, "content-length") || http::iequals(field.name, "transfer-encoding") ||
           http::iequals(field.name, "connection");
  };
  if (std::ranges::any_of(fields, framing)) return;  // the server gives none of them
  ByteBuffer out;
  http::append_interim(out, input.coin() ? 103 : 101, fields);
  auto rest = out.view();
  const auto response = read_response(rest, {}, false);
  ATLAS_ASSERT(response.complete && rest.empty(), "an interim response is not one");
  ATLAS_ASSERT(response.fields.size() == fields.size(), "an interim response has other fields");
}

void check_trailers(const std::vector<Header>& fields) {
  if (http::find_trailer_fault(fields)) return;
  ByteBuffer out;
  out.append("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  http::append_last_chunk(out, fields);
  auto rest = out.view();
  const auto response = read_response(rest, {}, false);
  ATLAS_ASSERT(response.complete && rest.empty(), "trailers do not end their response");
  ATLAS_ASSERT(response.trailers.size() == fields.size(), "trailers have changed");
}

void check_error(FuzzInput input, std::string_view text) {
  const auto status = static_cast<int>(400 + input.next() % 200);
  ByteBuffer out;
  const http::ErrorResponse error{.status = status,
                                  .text = text,
                                  .head_request = input.coin(),
                                  .keep_alive = input.coin(),
                                  .version = input.coin() ? http::http_1_0 : http::http_1_1};
  const auto bytes = http::append_error(out, error, server_fields);
  auto rest = out.view();
  const Asked asked{.head = error.head_request, .http_1_0 = error.version == http::http_1_0};
  const auto response = read_response(rest, asked, true);
  ATLAS_ASSERT(response.complete && rest.empty(), "an error is not one response");
  ATLAS_ASSERT(response.status == status && response.body.size() == bytes, "an error has changed");
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  const FuzzInput input(bytes);
  const auto fields = fields_in(input.text());
  check_final(input, fields);
  check_interim(input, fields);
  check_trailers(fields);
  check_error(input, input.text());
}

}  // namespace atlas::testing
