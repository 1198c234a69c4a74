// Content negotiation (RFC 9110 §12): which of what a server has the client wants most.
#pragma once

#include <atlas/http/header.hpp>

#include <initializer_list>
#include <optional>
#include <string_view>

namespace atlas::asgi {

// All of them give the element of `offered` with the highest quality, of equals the first; none when the
// client wants none of them. A request without the field takes everything. Elements that are malformed count
// for nothing; of each field line the first 100 elements are looked at. What is given back is a view of what
// was offered.

/// Accept: media types, "text/html" or "application/json;version=2". A range with parameters (but for a
/// charset) takes only what has them, and goes before one without (RFC 9110 §12.5.1).
[[nodiscard]] std::optional<std::string_view> choose_media_type(
    http::HeadersView headers, std::initializer_list<std::string_view> offered);
/// Accept-Language: "de", "en-GB"; a range "en" takes "en-GB" (RFC 4647 §3.3.1).
[[nodiscard]] std::optional<std::string_view> choose_language(
    http::HeadersView headers, std::initializer_list<std::string_view> offered);
/// Accept-Encoding: "br", "gzip". None where the content had better stay as it is: without the field, since
/// it says nothing of codings (RFC 9110 §12.5.3), and also where the client takes neither what is offered nor
/// that.
[[nodiscard]] std::optional<std::string_view> choose_coding(http::HeadersView headers,
                                                            std::initializer_list<std::string_view> offered);

}  // namespace atlas::asgi
