// Headers by which a server asks browsers to be careful.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <chrono>
#include <string>

namespace atlas::asgi {

/// An empty text: no such header. What the application has set stays as it is.
struct SecurityHeaders {
  std::string content_type_options = "nosniff";
  std::string frame_options = "DENY";
  std::string referrer_policy = "strict-origin-when-cross-origin";
  std::string opener_policy = "same-origin";
  std::string resource_policy = "same-origin";
  std::string content_security_policy = {};
  std::string permissions_policy = {};
  /// Strict-Transport-Security, on https only; zero: none.
  std::chrono::seconds transport_security = std::chrono::hours(24 * 365);
  bool transport_security_subdomains = false;
};

/// Throws std::invalid_argument for a text that cannot be a header's value.
[[nodiscard]] Middleware security_headers(const SecurityHeaders& headers = {});

}  // namespace atlas::asgi
