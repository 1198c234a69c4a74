#include <atlas/asgi/middleware/trusted_hosts.hpp>

#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/host_pattern.hpp>
#include <atlas/asgi/toolkit/problem.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {

Middleware trusted_hosts(const std::vector<std::string>& hosts) {
  if (hosts.empty()) throw std::invalid_argument("trusted_hosts: no host is trusted");
  const auto patterns = std::make_shared<const std::vector<HostPattern>>(hosts.begin(), hosts.end());
  return http_layer([patterns](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    const auto name = host_name(scope.headers.find("host").value_or(""));
    const bool trusted =
        std::ranges::any_of(*patterns, [&](const auto& pattern) { return pattern.matches(name); });
    if (!trusted) return error_response(HttpError(400, "this host is not served here")).send(scope, send);
    inner(scope, receive, send);
  });
}

}  // namespace atlas::asgi
