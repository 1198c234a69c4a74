// What clients see of errors: nothing but a status in production, everything while one develops.
#pragma once

#include <atlas/asgi/toolkit/handler.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>

#include <map>

namespace atlas::asgi {

struct ErrorPages {
  /// Whether the exception's text, the request and its headers are shown, to everybody who asks. Not in
  /// production.
  bool debug = false;
  /// By status: what answers for an exception in place of the built-in page. It must not throw.
  std::map<int, Handler> pages = {};
};

/// Turns exceptions into responses as long as none has begun: HttpError into its own status, all others into
/// 500, which is logged. Whoever accepts HTML gets a page, all others a problem (RFC 9457). A response that
/// has begun is cut.
[[nodiscard]] Middleware error_pages(ErrorPages options = {});

}  // namespace atlas::asgi
