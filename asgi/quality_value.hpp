// The weights of content negotiation (RFC 9110 §12.4.2).
#pragma once

#include <optional>
#include <string_view>

namespace atlas::asgi {

inline constexpr int quality_max = 1000;

/// "1", "0.5", "0.123" in thousandths; nothing for any other text.
[[nodiscard]] std::optional<int> quality_value(std::string_view text);

}  // namespace atlas::asgi
