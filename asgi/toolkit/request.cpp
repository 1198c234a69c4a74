#include <atlas/asgi/toolkit/request.hpp>

#include <atlas/http/utf8.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>
#include <variant>

namespace atlas::asgi {

const FormPairs& Request::query_parameters() {
  if (!query_) query_.emplace().parse(scope_.query_string, "the query");
  return *query_;
}

std::optional<std::string_view> Request::read() {
  if (body_ended_) return std::nullopt;
  const auto message = receive_();
  const auto* piece = std::get_if<HttpRequest>(&message);
  if (piece == nullptr) throw Disconnected(std::make_error_code(std::errc::connection_reset));
  body_ended_ = !piece->more_body;
  if (body_ended_ && piece->body.empty()) return std::nullopt;
  return piece->body;
}

std::string_view Request::body() {
  while (const auto piece = read()) {
    if (piece->size() > limits_.body_bytes_max - body_.size()) {
      throw HttpError(413, fmt::format("the body may have {} bytes", limits_.body_bytes_max));
    }
    body_ += *piece;
  }
  return body_;
}

std::string_view Request::text() {
  const auto bytes = body();
  if (!http::is_utf8(bytes)) throw HttpError(400, "the body is not UTF-8");
  return bytes;
}

void Request::refuse(std::string_view source, std::string_view name, std::string_view expected) {
  throw ValidationError(fmt::format("{}.{}", source, name), fmt::format("is not {}", expected));
}

void Request::refuse_missing(std::string_view source, std::string_view name) {
  throw ValidationError(fmt::format("{}.{}", source, name), "is missing");
}

std::string_view Request::path_text(std::string_view name) const {
  if (const auto text = parameters_.find(name)) return *text;
  throw std::logic_error(fmt::format("the route's pattern has no parameter '{}'", name));
}

}  // namespace atlas::asgi
