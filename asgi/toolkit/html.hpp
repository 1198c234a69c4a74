// Text within HTML.
#pragma once

#include <string>
#include <string_view>

namespace atlas::asgi {

/// So that it stands as it is in an element, or in an attribute between double quotes.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace atlas::asgi
