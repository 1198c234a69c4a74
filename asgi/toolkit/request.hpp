// A request as handlers meet it: typed values from its path, query, headers, cookies and body. Everything is
// read when it is asked for. Lives as long as the call of its handler.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/toolkit/cookies.hpp>
#include <atlas/asgi/toolkit/dependencies.hpp>
#include <atlas/asgi/toolkit/http_error.hpp>
#include <atlas/asgi/toolkit/negotiation.hpp>
#include <atlas/asgi/toolkit/path_parameters.hpp>
#include <atlas/asgi/toolkit/text_value.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace atlas::asgi {

class Json;

/// Of each request of a router. More is refused with 413.
struct RequestLimits {
  std::size_t body_bytes_max = std::size_t{1}
                               << 20;  ///< Of a body that is read whole; streams have no bound.
};

class Request {
 public:
  /// All must outlive it.
  Request(const Scope& scope, Receive& receive, const PathParameters& parameters,
          const RequestLimits& limits = {}) noexcept
      : scope_(scope), receive_(receive), parameters_(parameters), limits_(limits) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  [[nodiscard]] const Scope& scope() const noexcept { return scope_; }
  [[nodiscard]] std::string_view method() const noexcept { return scope_.method; }
  /// Percent-decoded; see Scope::path.
  [[nodiscard]] std::string_view path() const noexcept { return scope_.path; }
  [[nodiscard]] http::HeadersView headers() const noexcept { return scope_.headers; }
  [[nodiscard]] const PathParameters& path_parameters() const noexcept { return parameters_; }
  /// When the server gives up on the request. Waits of its fiber end then by themselves.
  [[nodiscard]] Deadline deadline() const noexcept { return scope_.extensions.atlas.deadline; }

  /// A parameter of the route's pattern. Throws ValidationError when it is no T, std::logic_error when the
  /// pattern has none of that name.
  template <class T = std::string_view>
  [[nodiscard]] T path(std::string_view name) const {
    return parsed<T>("path", name, path_text(name));
  }

  /// The value of a header field, by its name in lower case. Throws ValidationError when it is missing or no
  /// T.
  template <class T = std::string_view>
  [[nodiscard]] T header(std::string_view name) const {
    return required<T>("header", name, scope_.headers.find(name));
  }
  /// The same, or `fallback` when it is missing; std::nullopt makes an optional of it.
  template <class T = std::string_view, class Fallback>
  [[nodiscard]] auto header(std::string_view name, Fallback fallback) const {
    return optional<T>("header", name, scope_.headers.find(name), std::move(fallback));
  }

  /// The query's names and values, decoded. Throws HttpError 400 when it cannot be decoded, or has more than
  /// FormPairs::count_max names.
  [[nodiscard]] const FormPairs& query_parameters();
  /// A value of the query; of several, the first. Throws ValidationError when it is missing or no T.
  template <class T = std::string_view>
  [[nodiscard]] T query(std::string_view name) {
    return required<T>("query", name, query_parameters().find(name));
  }
  template <class T = std::string_view, class Fallback>
  [[nodiscard]] auto query(std::string_view name, Fallback fallback) {
    return optional<T>("query", name, query_parameters().find(name), std::move(fallback));
  }
  /// All values of that name.
  template <class T = std::string_view>
  [[nodiscard]] std::vector<T> query_all(std::string_view name) {
    std::vector<T> values;
    for (const auto text : query_parameters().all(name)) values.push_back(parsed<T>("query", name, text));
    return values;
  }

  /// A cookie's value (see find_cookie). Throws ValidationError when it is missing or no T.
  template <class T = std::string_view>
  [[nodiscard]] T cookie(std::string_view name) const {
    return required<T>("cookie", name, find_cookie(scope_.headers, name));
  }
  template <class T = std::string_view, class Fallback>
  [[nodiscard]] auto cookie(std::string_view name, Fallback fallback) const {
    return optional<T>("cookie", name, find_cookie(scope_.headers, name), std::move(fallback));
  }

  /// The media type of those offered that the client wants most; see choose_media_type.
  [[nodiscard]] std::optional<std::string_view> accepts(
      std::initializer_list<std::string_view> offered) const {
    return choose_media_type(scope_.headers, offered);
  }

  /// **Suspends** until the next piece of the body is there; none after the last. Valid until the next call.
  /// Throws Disconnected when the client is gone.
  [[nodiscard]] std::optional<std::string_view> read();
  /// **Suspends** until all of it is there. What `read` has taken before is not in it. Valid as long as the
  /// request. Throws HttpError 413 when it is longer than RequestLimits::body_bytes_max.
  [[nodiscard]] std::string_view body();
  /// As `body`, when it is UTF-8; throws HttpError 400 when it is not.
  [[nodiscard]] std::string_view text();

  /// **Suspends** as `body`, which must be JSON. Throws HttpError 415 when content-type names another type,
  /// 400 when it is no JSON. In <atlas/asgi/toolkit/json.hpp>.
  [[nodiscard]] Json json();
  /// The same, read into a described struct: throws ValidationError, too. In
  /// <atlas/asgi/toolkit/describe.hpp>.
  template <class T>
  [[nodiscard]] T json();

  /// What the router provides for the process, the worker or this request: see Dependencies. Lives until the
  /// response was sent. Suspends as its factory does. Throws std::logic_error when nobody provides a T.
  template <class T>
  [[nodiscard]] T& get() {
    return *static_cast<T*>(dependencies_.get(typeid(T), *this));
  }

 private:
  template <class T>
  [[nodiscard]] static T parsed(std::string_view source, std::string_view name, std::string_view text) {
    return value_of_text<T>(text, [&](std::string_view expected) { refuse(source, name, expected); });
  }
  template <class T>
  [[nodiscard]] static T required(std::string_view source, std::string_view name,
                                  std::optional<std::string_view> text) {
    if (!text) refuse_missing(source, name);
    return parsed<T>(source, name, *text);
  }
  template <class T, class Fallback>
  [[nodiscard]] static auto optional(std::string_view source, std::string_view name,
                                     std::optional<std::string_view> text, Fallback fallback) {
    if constexpr (std::is_same_v<Fallback, std::nullopt_t>) {
      return text ? std::optional<T>(parsed<T>(source, name, *text)) : std::nullopt;
    } else {
      return text ? parsed<T>(source, name, *text) : static_cast<T>(std::move(fallback));
    }
  }

  [[noreturn]] static void refuse(std::string_view source, std::string_view name, std::string_view expected);
  [[noreturn]] static void refuse_missing(std::string_view source, std::string_view name);
  [[nodiscard]] std::string_view path_text(std::string_view name) const;

  const Scope& scope_;
  Receive& receive_;
  const PathParameters& parameters_;
  const RequestLimits& limits_;
  DependenciesOfRequest dependencies_;
  std::optional<FormPairs> query_;
  std::string body_;
  bool body_ended_ = false;
};

}  // namespace atlas::asgi
