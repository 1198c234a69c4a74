// A name for each request: in its log lines, in its response, and where handlers find it.
#pragma once

#include <atlas/asgi/scope.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>

#include <string>
#include <string_view>

namespace atlas::asgi {

struct RequestIdOptions {
  std::string header = "x-request-id";
  /// Whether the client's own is taken (up to 128 letters, digits and "-_.:+/="), as behind a proxy that sets
  /// it.
  bool trust_client = false;
};

[[nodiscard]] Middleware request_id(const RequestIdOptions& options = {});

/// Beneath that middleware; empty elsewhere. Valid as long as the scope.
[[nodiscard]] std::string_view request_id_of(const Scope& scope);

}  // namespace atlas::asgi
