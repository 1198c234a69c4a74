#include <atlas/http/response_check.hpp>

#include <algorithm>
#include <array>

namespace atlas::http {
namespace {

// Fields that frame, route, authenticate or control (RFC 9110 §6.5.1): useless or harmful behind a body.
constexpr std::array<std::string_view, 20> forbidden_trailers{"authorization",
                                                              "cache-control",
                                                              "connection",
                                                              "content-encoding",
                                                              "content-length",
                                                              "content-range",
                                                              "content-type",
                                                              "expect",
                                                              "host",
                                                              "keep-alive",
                                                              "max-forwards",
                                                              "pragma",
                                                              "proxy-authenticate",
                                                              "proxy-authorization",
                                                              "range",
                                                              "set-cookie",
                                                              "te",
                                                              "trailer",
                                                              "transfer-encoding",
                                                              "www-authenticate"};

}  // namespace

std::string_view describe(HeaderFault::Kind kind) noexcept {
  switch (kind) {
    case HeaderFault::Kind::bad_name: return "header name is not a token";
    case HeaderFault::Kind::bad_value: return "header value has a control character";
    case HeaderFault::Kind::bad_content_length:
      return "content-length is not a decimal number of at most 18 digits";
    case HeaderFault::Kind::repeated_content_length: return "content-length is given more than once";
    case HeaderFault::Kind::forbidden_trailer: return "header field may not be a trailer";
  }
  return {};
}

std::optional<HeaderFault> find_interim_fault(std::span<const Header> fields) noexcept {
  for (std::size_t index = 0; index < fields.size(); ++index) {
    if (const auto kind = find_fault(fields[index])) return HeaderFault{*kind, index};
  }
  return std::nullopt;
}

std::optional<HeaderFault> find_trailer_fault(std::span<const Header> trailers) noexcept {
  for (std::size_t index = 0; index < trailers.size(); ++index) {
    const Header& field = trailers[index];
    if (const auto kind = find_fault(field)) return HeaderFault{*kind, index};
    const bool forbidden = std::ranges::any_of(
        forbidden_trailers, [&field](std::string_view name) { return iequals(field.name, name); });
    if (forbidden) return HeaderFault{HeaderFault::Kind::forbidden_trailer, index};
  }
  return std::nullopt;
}

}  // namespace atlas::http
