// Cross-origin requests (Fetch standard, "CORS protocol"): which pages of other sites may read responses.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

struct CorsOptions {
  /// "https://app.example", or "*" for all. "null" (local files, sandboxed frames) only where it is named.
  std::vector<std::string> origins = {};
  /// Origins beside these; may be empty. Called by all workers at the same time.
  std::function<bool(std::string_view origin)> origin_allowed = {};
  std::vector<std::string> methods = {"GET", "HEAD", "POST"};
  std::vector<std::string> headers = {};         ///< That requests may have; "*": those that are asked for.
  std::vector<std::string> expose_headers = {};  ///< That pages may read.
  bool credentials = false;                      ///< Cookies and the like; not together with the origin "*".
  std::chrono::seconds max_age =
      std::chrono::minutes(10);  ///< How long a browser may keep a preflight's answer.
};

/// Answers preflights (204) itself. Requests of other origins are served, without the headers that would let
/// a page read the response. Throws std::invalid_argument for options that contradict one another, or cannot
/// be headers.
[[nodiscard]] Middleware cors(CorsOptions options);

}  // namespace atlas::asgi
