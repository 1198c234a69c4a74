// Which names a server answers to: a request for any other is refused, before an application makes URLs of
// its Host.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <string>
#include <vector>

namespace atlas::asgi {

/// "example.com" or "*.example.com" (not example.com itself), in any case; ports do not matter. Others get
/// 400. Throws std::invalid_argument for an empty list, or what is no such name.
[[nodiscard]] Middleware trusted_hosts(const std::vector<std::string>& hosts);

}  // namespace atlas::asgi
