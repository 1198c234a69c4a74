#include <atlas/http/response_framing.hpp>

#include <atlas/http/status.hpp>

namespace atlas::http {
namespace {

using Body = ResponseFraming::Body;

// The length to declare, as it would be for a GET.
std::optional<std::uint64_t> choose_length(const ResponseFacts& facts) noexcept {
  if (facts.status == 205) return 0;
  if (forbids_content_length(facts.status)) return std::nullopt;
  if (facts.wishes.content_length) return facts.wishes.content_length;
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
  ResponseFraming framing;
  framing.content_length = choose_length(facts);
  framing.body = choose_body(facts, framing.content_length.has_value());
  framing.transfer_chunked = says_chunked(facts, framing);
  framing.keep_alive = facts.keep_alive && !facts.wishes.close && framing.body != Body::until_close;
  framing.trailers = facts.trailers && framing.body == Body::chunked;
  return framing;
}

}  // namespace atlas::http
