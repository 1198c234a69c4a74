#include <atlas/asgi/middleware/security_headers.hpp>

#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace atlas::asgi {
namespace {

struct Field {
  std::string name;
  std::string value;
  bool only_secure = false;
};

std::vector<Field> fields_of(const SecurityHeaders& headers) {
  std::vector<Field> fields = {{"x-content-type-options", headers.content_type_options},
                               {"x-frame-options", headers.frame_options},
                               {"referrer-policy", headers.referrer_policy},
                               {"cross-origin-opener-policy", headers.opener_policy},
                               {"cross-origin-resource-policy", headers.resource_policy},
                               {"content-security-policy", headers.content_security_policy},
                               {"permissions-policy", headers.permissions_policy}};
  if (headers.transport_security > std::chrono::seconds(0)) {
    fields.push_back({"strict-transport-security",
                      fmt::format("max-age={}{}", headers.transport_security.count(),
                                  headers.transport_security_subdomains ? "; includeSubDomains" : ""),
                      true});
  }
  std::erase_if(fields, [](const Field& field) { return field.value.empty(); });
  for (const auto& field : fields) {
    if (!http::is_field_value(field.value))
      throw std::invalid_argument(
          fmt::format("security_headers: '{}' has a value that no header has", field.name));
  }
  return fields;
}

}  // namespace

Middleware security_headers(const SecurityHeaders& headers) {
  const auto fields = std::make_shared<const std::vector<Field>>(fields_of(headers));
  return http_layer([fields](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    AlteredStart adding(send, [&](HttpResponseStart& start) {
      for (const auto& field : *fields) {
        const bool applies = !field.only_secure || scope.scheme == "https";
        if (applies && !http::find_in_any_case(start.headers.view(), field.name))
          start.headers.add(field.name, field.value);
      }
    });
    inner(scope, receive, adding);
  });
}

}  // namespace atlas::asgi
