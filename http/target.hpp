// The request target: percent-decoding of paths. Splitting the target is the request parser's work.
#pragma once

#include <atlas/core/byte_buffer.hpp>

#include <optional>
#include <string_view>

namespace atlas::http {

/// The path with its %XX escapes decoded, as UTF-8: broken sequences become U+FFFD, one for each
/// maximal part, as Python's `urllib.parse.unquote` does it. `+` stays as it is, and `%2F` becomes an
/// ordinary slash. Nothing for a malformed escape ("%", "%zz") and for %00: the server answers 400.
///
/// A path without escapes and above-ASCII bytes is returned as it came, and is a view of the input;
/// otherwise the result is a view of `scratch`, whose former content is lost.
[[nodiscard]] std::optional<std::string_view> decode_path(std::string_view raw, ByteBuffer& scratch);

}  // namespace atlas::http
