// From a request's path to a name beneath a folder: what strangers may ask for at all.
#pragma once

#include <atlas/asgi/scope.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

struct StaticPath {
  std::string_view name;  ///< Without slashes at its ends; empty for the folder itself. Of the scope's path.
  bool names_folder = false;  ///< The path ends with a slash.
};

/// Nothing for a path that does not lie under scope.root_path, and for one that no file may have: with empty
/// parts, "." or "..", backslashes, NULs or other controls, or a slash that was escaped. Parts that begin
/// with a dot are refused unless `hidden_files`, but for ".well-known" at the front (RFC 8615).
[[nodiscard]] std::optional<StaticPath> static_path(const Scope& scope, bool hidden_files);

/// A path as a URL has it: bytes that may not stand in one are escaped.
[[nodiscard]] std::string escaped_path(std::string_view path);

}  // namespace atlas::asgi
