// Errors that are answers: what a handler or a middleware throws to have the client told of it.
#pragma once

#include <atlas/asgi/headers.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::asgi {

/// Becomes a response of that status wherever it is caught: by the router, and by error_pages().
class HttpError : public std::runtime_error {
 public:
  /// `status`: 400 to 599. `detail` is for the client to read; without it the status' own phrase.
  explicit HttpError(int status, const std::string& detail = {}, Headers headers = {});

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  /// Goes into the response: `allow`, `retry-after`, `www-authenticate` and so on.
  [[nodiscard]] const Headers& headers() const noexcept { return headers_; }

 private:
  int status_;
  std::string detail_;
  Headers headers_;
};

/// What is wrong with one value that came from a client.
struct FieldError {
  /// Where it came from and its name: "path.id", "query.page", "header.x-key", "cookie.theme", "form.title",
  /// "body.items[3].price"; "body" alone for all of it.
  std::string field;
  std::string message;  ///< What it should have been: "is missing", "is not a whole number".
};

/// Values that a client has sent cannot be used: 422, and the answer names each of them.
class ValidationError : public HttpError {
 public:
  explicit ValidationError(std::vector<FieldError> errors);
  ValidationError(const std::string& field, const std::string& message);

  [[nodiscard]] const std::vector<FieldError>& errors() const noexcept { return errors_; }

 private:
  std::vector<FieldError> errors_;
};

}  // namespace atlas::asgi
