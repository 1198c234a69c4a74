// Media types by a file name's extension.
#pragma once

#include <string_view>

namespace atlas::asgi {

/// "text/css; charset=utf-8" for "style.css", in any case; empty when nothing is known of the extension, or
/// there is none.
[[nodiscard]] std::string_view media_type_of(std::string_view file_name);

/// What follows the last dot of the last part of a path; empty without one.
[[nodiscard]] std::string_view extension_of(std::string_view file_name) noexcept;

}  // namespace atlas::asgi
