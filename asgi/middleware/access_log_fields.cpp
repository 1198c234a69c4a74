#include <atlas/asgi/middleware/access_log_fields.hpp>

#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/http/header.hpp>

#include <memory>

namespace atlas::asgi {
namespace {

void note_request(const AccessLogFields& fields, const Scope& scope) {
  for (const auto& name : fields.request_headers) {
    if (const auto value = scope.headers.find(name)) set_access_field(scope, name, *value);
  }
  for (const auto& [name, value] : fields.values) set_access_field(scope, name, value(scope));
}

void note_response(const AccessLogFields& fields, const Scope& scope, const HttpResponseStart& start) {
  for (const auto& name : fields.response_headers) {
    if (const auto value = http::find_in_any_case(start.headers.view(), name))
      set_access_field(scope, name, *value);
  }
}

}  // namespace

Middleware access_log_fields(AccessLogFields fields) {
  for (auto* names : {&fields.request_headers, &fields.response_headers}) {
    for (auto& name : *names) http::make_lower(name);
  }
  const auto shared = std::make_shared<const AccessLogFields>(std::move(fields));
  return http_layer([shared](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    if (scope.extensions.atlas.access_notes == nullptr) return inner(scope, receive, send);
    note_request(*shared, scope);
    AlteredStart noting(send, [&](HttpResponseStart& start) { note_response(*shared, scope, start); });
    inner(scope, receive, noting);
  });
}

}  // namespace atlas::asgi
