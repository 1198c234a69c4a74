#include <atlas/asgi/toolkit/response.hpp>

#include <atlas/http/header.hpp>
#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace atlas::asgi {

void Response::send(const Scope& scope, Send& send) {
  if (body_ != nullptr) return body_->send(*this, scope, send);
  send(static_cast<const HttpResponseStart&>(*this));
  send(HttpResponseBody{.body = text_.view()});
}

Response text(BodyText body, int status) {
  return content("text/plain; charset=utf-8", std::move(body), status);
}

Response html(BodyText body, int status) {
  return content("text/html; charset=utf-8", std::move(body), status);
}

Response content(const HeaderText& media_type, BodyText body, int status) {
  Response response(status, std::move(body));
  response.headers.add("content-type", media_type);
  return response;
}

Response no_content() { return Response(204); }

Response redirect(std::string_view location, int status) {
  if (!http::is_field_value(location))
    throw std::invalid_argument("a redirect's location has control characters");
  return Response(status).with("location", location);
}

Response to_response(std::string body) { return text(std::move(body)); }

Response to_response(std::string_view body) { return text(body); }

Response to_response(const char* body) { return text(body); }

template <>
Response to_response<int>(int status) {
  if (!http::is_final(status))
    throw std::invalid_argument(fmt::format("{} is no status of a response", status));
  if (http::forbids_body(status)) return Response(status);
  return text(fmt::format("{} {}\n", status, http::reason_phrase(status)), status);
}

}  // namespace atlas::asgi
