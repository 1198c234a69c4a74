#include <atlas/asgi/toolkit/http_error.hpp>

#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace atlas::asgi {
namespace {

std::string detail_of(const std::vector<FieldError>& errors) {
  std::string text;
  for (const auto& error : errors) {
    fmt::format_to(std::back_inserter(text), "{}{} {}", text.empty() ? "" : "; ", error.field, error.message);
  }
  return text;
}

}  // namespace

HttpError::HttpError(int status, const std::string& detail, Headers headers)
    : std::runtime_error(
          fmt::format("{} {}{}{}", status, http::reason_phrase(status), detail.empty() ? "" : ": ", detail)),
      status_(status),
      detail_(detail),
      headers_(std::move(headers)) {}

ValidationError::ValidationError(std::vector<FieldError> errors)
    : HttpError(422, detail_of(errors)), errors_(std::move(errors)) {}

ValidationError::ValidationError(const std::string& field, const std::string& message)
    : ValidationError(std::vector{FieldError{field, message}}) {}

}  // namespace atlas::asgi
