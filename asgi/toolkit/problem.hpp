// Problem details (RFC 9457): errors that a client's program can read, `application/problem+json`.
#pragma once

#include <atlas/asgi/toolkit/http_error.hpp>
#include <atlas/asgi/toolkit/response.hpp>

#include <string>
#include <vector>

namespace atlas::asgi {

/// Members that are empty are left out.
struct Problem {
  int status = 500;
  std::string type = {};   ///< A URI that names the kind of problem; none: the status alone does.
  std::string title = {};  ///< Of that kind; the status' phrase when it is empty.
  std::string detail = {};
  std::string instance = {};  ///< A URI of this occurrence.
  std::vector<FieldError> errors =
      {};  ///< An extension: `[{"field": "body.title", "message": "is missing"}]`.
};

/// With `cache-control: no-store`.
[[nodiscard]] Response problem(const Problem& problem);

/// What the client is told of an error that is meant for it.
[[nodiscard]] Problem problem_of(const HttpError& error);
/// The same as a response, with the error's own headers.
[[nodiscard]] Response error_response(const HttpError& error);

}  // namespace atlas::asgi
