#include <atlas/asgi/scope.hpp>

namespace atlas::asgi {

std::string_view to_string(ScopeType type) noexcept { return type == ScopeType::http ? "http" : "lifespan"; }

bool Extensions::contains(std::string_view name) const noexcept {
  if (name == "http.response.trailers") return http_response_trailers;
  if (name == "http.response.early_hint") return http_response_early_hint;
  if (name == "http.response.pathsend") return http_response_pathsend;
  if (name == "http.response.zerocopysend") return http_response_zerocopysend;
  if (name == "http.response.push") return http_response_push;
  if (name == "http.response.debug") return http_response_debug;
  return name == "atlas";
}

}  // namespace atlas::asgi
