// Base64 (RFC 4648): both alphabets are read strictly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

/// The standard alphabet, padded. Nothing for any other text.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

/// The alphabet of URLs and cookies ("-" and "_"), without padding.
[[nodiscard]] std::string encode_base64url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace atlas::asgi
