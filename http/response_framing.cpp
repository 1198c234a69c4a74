#include <atlas/http/response_framing.hpp>

#include <atlas/http/status.hpp>

#include <charconv>
#include <string_view>

namespace atlas::http {
namespace {

using Body = ResponseFraming::Body;

// What the application's headers ask of the framing.
struct Wishes {
  std::optional<std::uint64_t> content_length;
  bool close = false;
};

std::uint64_t parse_length(std::string_view digits) noexcept {
  std::uint64_t length = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), length);  // was checked: a plain number
  return length;
}

Wishes read_wishes(std::span<const Header> headers) noexcept {
  Wishes wishes;
  for (const Header& field : headers) {
    if (field.name.size() == 14 && iequals(field.name, "content-length")) {
      wishes.content_length = parse_length(field.value);
    } else if (field.name.size() == 10 && iequals(field.name, "connection")) {
      wishes.close = wishes.close || list_has_token(field.value, "close");
    }
  }
  return wishes;
}

// The length to declare, as it would be for a GET.
std::optional<std::uint64_t> choose_length(const ResponseFacts& facts, const Wishes& wishes) noexcept {
  if (facts.status == 205) return 0;
  if (forbids_content_length(facts.status)) return std::nullopt;
  if (wishes.content_length) return wishes.content_length;
  if (forbids_body(facts.status)) return std::nullopt;
  if (facts.head_request && facts.body_bytes == 0) return std::nullopt;
  const bool trailers_go = facts.trailers && facts.version >= http_1_1;
  return trailers_go ? std::nullopt : facts.body_bytes;
}

Body choose_body(const ResponseFacts& facts, bool length_declared) noexcept {
  if (facts.head_request || forbids_body(facts.status)) return Body::none;
  if (length_declared) return Body::content_length;
  return facts.version >= http_1_1 ? Body::chunked : Body::until_close;
}

// A HEAD response of unknown length says of the coding what the GET response would.
bool says_chunked(const ResponseFacts& facts, const ResponseFraming& framing) noexcept {
  if (framing.body == Body::chunked) return true;
  const bool length_unknown = !framing.content_length && !facts.body_bytes && !forbids_body(facts.status);
  return facts.head_request && length_unknown && facts.version >= http_1_1;
}

}  // namespace

ResponseFraming choose_framing(const ResponseFacts& facts) noexcept {
  const Wishes wishes = read_wishes(facts.headers);
  ResponseFraming framing;
  framing.content_length = choose_length(facts, wishes);
  framing.body = choose_body(facts, framing.content_length.has_value());
  framing.transfer_chunked = says_chunked(facts, framing);
  framing.keep_alive = facts.keep_alive && !wishes.close && framing.body != Body::until_close;
  framing.trailers = facts.trailers && framing.body == Body::chunked;
  return framing;
}

}  // namespace atlas::http
