#include <atlas/asgi/middleware/cors.hpp>

#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts)
    fmt::format_to(std::back_inserter(all), "{}{}", all.empty() ? "" : ", ", text);
  return all;
}

bool has(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

class Policy {
 public:
  explicit Policy(CorsOptions options)
      : options_(std::move(options)),
        any_origin_(has(options_.origins, "*")),
        any_header_(has(options_.headers, "*")),
        methods_(joined(options_.methods)),
        headers_(joined(options_.headers)),
        exposed_(joined(options_.expose_headers)) {
    check();
  }

  [[nodiscard]] bool allows(std::string_view origin) const {
    return any_origin_ || has(options_.origins, origin) ||
           (options_.origin_allowed && options_.origin_allowed(origin));
  }

  /// What every response needs.
  void add_to(Headers& headers, std::string_view origin) const {
    if (!any_origin_) headers.add("vary", "origin");
    if (origin.empty() || !allows(origin)) return;
    if (any_origin_) {
      headers.add("access-control-allow-origin", "*");
    } else {
      headers.add("access-control-allow-origin", origin);
    }
    if (options_.credentials) headers.add("access-control-allow-credentials", "true");
    if (!exposed_.empty()) headers.add("access-control-expose-headers", exposed_);
  }

  void answer_preflight(const Scope& scope, std::string_view origin, Send& send) const {
    HttpResponseStart start{.status = 204, .headers = {}};
    add_to(start.headers, origin);
    if (allows(origin)) {
      start.headers.add("access-control-allow-methods", methods_);
      const auto asked = scope.headers.find("access-control-request-headers");
      if (any_header_ && asked) {
        start.headers.add("access-control-allow-headers", *asked);
        start.headers.add("vary", "access-control-request-headers");
      } else if (!headers_.empty() && !any_header_) {
        start.headers.add("access-control-allow-headers", headers_);
      }
      start.headers.add("access-control-max-age", std::to_string(options_.max_age.count()));
    }
    send(start);
    send(HttpResponseBody{});
  }

 private:
  void check() const {
    if (options_.origins.empty() && !options_.origin_allowed)
      throw std::invalid_argument("cors: no origin is allowed");
    if (any_origin_ && options_.credentials)
      throw std::invalid_argument("cors: credentials cannot go to all origins ('*'); name them");
    for (const auto* names : {&options_.methods, &options_.headers, &options_.expose_headers}) {
      for (const auto& name : *names) {
        if (!http::is_token(name)) throw std::invalid_argument(fmt::format("cors: '{}' is no token", name));
      }
    }
    for (const auto& origin : options_.origins) {
      const bool is_origin =
          origin == "*" || origin == "null" ||
          (origin.find("://") != std::string::npos && !origin.ends_with('/') && http::is_field_value(origin));
      if (!is_origin)
        throw std::invalid_argument(fmt::format("cors: '{}' is no origin like https://app.example", origin));
    }
  }

  CorsOptions options_;
  bool any_origin_;
  bool any_header_;
  std::string methods_;
  std::string headers_;
  std::string exposed_;
};

bool is_preflight(const Scope& scope) {
  return scope.method == "OPTIONS" && scope.headers.contains("origin") &&
         scope.headers.contains("access-control-request-method");
}

}  // namespace

Middleware cors(CorsOptions options) {
  const auto policy = std::make_shared<const Policy>(std::move(options));
  return http_layer([policy](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    const auto origin = scope.headers.find("origin").value_or("");
    if (is_preflight(scope)) return policy->answer_preflight(scope, origin, send);
    AlteredStart adding(send, [&](HttpResponseStart& start) { policy->add_to(start.headers, origin); });
    inner(scope, receive, adding);
  });
}

}  // namespace atlas::asgi
