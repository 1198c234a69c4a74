// What an application is told of the connection or event that it is called for: ASGI's scope, its keys
// under their own names.
#pragma once

#include <atlas/asgi/state.hpp>
#include <atlas/core/time.hpp>
#include <atlas/http/header.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace atlas::asgi {

class AccessNotes;
class FiberCensus;
class PathParameters;
class ServerStatus;

enum class ScopeType : std::uint8_t { http, lifespan };

/// "http" or "lifespan".
[[nodiscard]] std::string_view to_string(ScopeType type) noexcept;

struct AsgiVersion {
  std::string_view version = "3.0";
  std::string_view spec_version = "2.5";  ///< Of this scope's specification.
};

/// A host and port, or a unix socket's path without a port.
struct Endpoint {
  std::string_view host;
  std::optional<std::uint16_t> port = {};
};

/// Atlas's own extension.
struct AtlasExtension {
  int worker = -1;                       ///< Which worker's loop; -1 for the process's lifespan.
  std::uint64_t connection_id = 0;       ///< Unique in this process; 0 on a lifespan scope.
  Deadline deadline = {};                ///< When the request's time is up.
  const ServerStatus* server = nullptr;  ///< Live facts; null outside of a server.
  /// What every fiber is doing (FiberCensus::take); null unless ServerOptions::debug_endpoints.
  const FiberCensus* fibers = nullptr;
  /// For the request's line in the access log; null where there is none. See access_notes.hpp.
  AccessNotes* access_notes = nullptr;
  /// What the router's pattern has matched; null where no router was.
  const PathParameters* path_parameters = nullptr;
};

/// What this server can do beyond plain ASGI.
struct Extensions {
  bool http_response_trailers = false;
  bool http_response_early_hint = false;
  bool http_response_pathsend = false;
  bool http_response_zerocopysend = false;
  bool http_response_push = false;
  bool http_response_debug = false;  ///< Of test clients only.
  AtlasExtension atlas = {};

  /// By ASGI's name, like "http.response.trailers".
  [[nodiscard]] bool contains(std::string_view name) const noexcept;
};

/// All views are valid until the application returns.
struct Scope {
  ScopeType type = ScopeType::http;
  AsgiVersion asgi;
  std::string_view http_version = {};  ///< "1.0" or "1.1".
  std::string_view method = {};        ///< As sent: methods are case-sensitive, and upper case when known.
  std::string_view scheme = {};        ///< "http".
  std::string_view path = {};          ///< Percent-decoded UTF-8; includes `root_path`.
  std::string_view raw_path = {};      ///< As sent, without the query.
  std::string_view query_string = {};  ///< As sent, without the question mark.
  std::string_view root_path = {};     ///< Where the application is mounted.
  http::HeadersView headers = {};      ///< Names in lower case, order and duplicates kept.
  std::optional<Endpoint> client = {};
  std::optional<Endpoint> server = {};
  /// From lifespan's scope to each request's, which may change its own. The one part of a scope that
  /// an application writes to.
  mutable State state = {};
  Extensions extensions = {};
};

}  // namespace atlas::asgi
