// Which facts of requests and responses stand in the access log, besides the usual ones.
#pragma once

#include <atlas/asgi/scope.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::asgi {

struct AccessLogFields {
  std::vector<std::string> request_headers = {};   ///< Each is a field of its name, where the request has it.
  std::vector<std::string> response_headers = {};  ///< The same of the response; of several, the first.
  /// What else: name and value. Called by all workers at the same time, before what is inside.
  std::vector<std::pair<std::string, std::function<std::string(const Scope& scope)>>> values = {};
};

/// Put it inside of those middlewares whose outcome it is to log. The request's id, the client behind a
/// trusted proxy and the user that has authenticated are in the log without it, once those middlewares have
/// found them. Handlers add fields by set_access_field.
[[nodiscard]] Middleware access_log_fields(AccessLogFields fields);

}  // namespace atlas::asgi
