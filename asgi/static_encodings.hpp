// Which content coding a client prefers (RFC 9110 §12.5.3).
#pragma once

#include <atlas/http/header.hpp>

#include <string_view>

namespace atlas::asgi {

/// How much the request's Accept-Encoding wants `coding` ("gzip", "identity"), in thousandths; 0: not at all.
/// What is not named gets what "*" gets. Without "*", "identity" is acceptable but wanted least: 1. What is
/// malformed does not count. "x-gzip" means gzip (RFC 9110 §8.4.1.3).
[[nodiscard]] int coding_quality(http::HeadersView headers, std::string_view coding);

}  // namespace atlas::asgi
