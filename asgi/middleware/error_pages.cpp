#include <atlas/asgi/middleware/error_pages.hpp>

#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/html.hpp>
#include <atlas/asgi/toolkit/negotiation.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>
#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <exception>
#include <iterator>
#include <memory>
#include <utility>

namespace atlas::asgi {
namespace {

/// The request, as far as it helps who looks for the fault.
std::string request_text(const Scope& scope) {
  auto text = fmt::format("{} {}{}{}\n", scope.method, scope.raw_path, scope.query_string.empty() ? "" : "?",
                          scope.query_string);
  for (const auto& field : scope.headers) {
    const bool secret = field.name == "authorization" || field.name == "cookie";
    fmt::format_to(std::back_inserter(text), "{}: {}\n", field.name,
                   secret ? std::string_view("…") : field.value);
  }
  return text;
}

/// An exception on its way to the client.
struct Failure {
  Problem problem;
  Headers headers;
  std::string what;  // for developers
};

class Pages {
 public:
  explicit Pages(ErrorPages options) : options_(std::move(options)) {}

  void answer(const Failure& failure, const Scope& scope, Receive& receive, Send& send) const {
    auto response = response_for(failure, scope, receive);
    response.send(scope, send);
  }

 private:
  [[nodiscard]] Response response_for(const Failure& failure, const Scope& scope, Receive& receive) const {
    const int status = failure.problem.status;
    if (const auto page = options_.pages.find(status); page != options_.pages.end()) {
      const PathParameters none;
      const RequestLimits limits;
      Request request(scope, receive, none, limits);
      auto response = page->second(request);
      response.status = status;
      return response;
    }
    const bool as_page =
        scope.headers.contains("accept") &&
        choose_media_type(scope.headers, {"application/problem+json", "text/html"}) == "text/html";
    if (as_page) return page_for(failure, scope);
    auto told = failure.problem;
    if (options_.debug) told.detail = failure.what;
    auto response = problem(told);
    response.headers.append(failure.headers);
    return response;
  }

  [[nodiscard]] Response page_for(const Failure& failure, const Scope& scope) const {
    const int status = failure.problem.status;
    const auto title = fmt::format("{} {}", status, http::reason_phrase(status));
    auto text = fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head>\n"
        "<body><h1>{0}</h1>\n",
        title);
    if (!failure.problem.detail.empty())
      fmt::format_to(std::back_inserter(text), "<p>{}</p>\n", escape_html(failure.problem.detail));
    if (options_.debug) {
      fmt::format_to(std::back_inserter(text),
                     "<h2>Exception</h2>\n<pre>{}</pre>\n<h2>Request</h2>\n<pre>{}</pre>\n",
                     escape_html(failure.what), escape_html(request_text(scope)));
    }
    auto response = html(text + "</body></html>\n", status)
                        .with("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
                        .with("cache-control", "no-store");
    response.headers.append(failure.headers);
    return response;
  }

  ErrorPages options_;
};

Failure failure_of(std::exception_ptr exception, const Scope& scope) {
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const HttpError& error) {
    return {problem_of(error), error.headers(), error.what()};
  } catch (const std::exception& error) {
    log::error("'{} {}' failed: {}", scope.method, scope.raw_path, error.what());
    return {{.status = 500}, {}, error.what()};
  } catch (...) {
    log::error("'{} {}' failed with an exception of an unknown type", scope.method, scope.raw_path);
    return {{.status = 500}, {}, "an exception of an unknown type"};
  }
}

}  // namespace

Middleware error_pages(ErrorPages options) {
  const auto pages = std::make_shared<const Pages>(std::move(options));
  return http_layer([pages](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    AlteredStart watched(send, [](HttpResponseStart&) {});
    std::exception_ptr exception;
    try {
      return inner(scope, receive, watched);
    } catch (const Disconnected&) {
      throw;
    } catch (...) {
      if (watched.begun() || this_fiber::cancelled()) throw;  // nobody would get an answer
      exception = std::current_exception();
    }
    // Outside of the catch block: what is sent may suspend the fiber.
    pages->answer(failure_of(exception, scope), scope, receive, send);
  });
}

}  // namespace atlas::asgi
