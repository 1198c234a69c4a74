// Who answers what: paths and methods to handlers and applications. An application itself.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/toolkit/background.hpp>
#include <atlas/asgi/toolkit/dependencies.hpp>
#include <atlas/asgi/toolkit/handler.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>
#include <atlas/asgi/toolkit/request.hpp>
#include <atlas/asgi/toolkit/route_pattern.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::asgi {

struct RouterOptions {
  /// A path that nothing matches is redirected (308) to the same with, or without, a slash at its end, when
  /// something matches that.
  bool redirect_slashes = true;
  RequestLimits limits = {};
  /// How long the server's stop waits for work in the background.
  Duration background_patience = background_patience_default;
};

/// Declared once, before the server starts; from then on all workers use it at the same time, and it cannot
/// be changed. Copies are the same router. docs/routing.md is the tour.
///
/// A path is matched as it is in Scope::path (percent-decoded), beneath Scope::root_path. Among patterns that
/// match, a literal segment goes before a parameter, one with a converter before any text, and a rest of the
/// path comes last; a pattern without a handler for the method does not count as long as another has one.
/// What is declared wrongly (BadPattern's reasons, two routes for the same paths and method, a name given
/// twice) ends the server's start with a line that names both.
///
/// HttpError and its kin, thrown by handlers, become responses (error_response). Other exceptions are the
/// server's.
class Router {
 public:
  explicit Router(RouterOptions options = {});

  /// A route that was declared.
  class Declared {
   public:
    /// For Router::url.
    Declared& name(std::string name);

   private:
    friend class Router;
    Declared(Router& router, std::size_t index) : router_(router), index_(index) {}
    Router& router_;
    std::size_t index_;
  };

  /// `handler` is whatever a Handler is made of: a callable, or a member function and its object. GET answers
  /// HEAD, too, unless that has a handler of its own; OPTIONS is answered where it has none.
  template <class... Parts>
  Declared get(std::string_view pattern, Parts&&... handler) {
    return route({"GET"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  template <class... Parts>
  Declared post(std::string_view pattern, Parts&&... handler) {
    return route({"POST"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  template <class... Parts>
  Declared put(std::string_view pattern, Parts&&... handler) {
    return route({"PUT"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  template <class... Parts>
  Declared patch(std::string_view pattern, Parts&&... handler) {
    return route({"PATCH"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  template <class... Parts>
  Declared del(std::string_view pattern, Parts&&... handler) {
    return route({"DELETE"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  template <class... Parts>
  Declared head(std::string_view pattern, Parts&&... handler) {
    return route({"HEAD"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  template <class... Parts>
  Declared options(std::string_view pattern, Parts&&... handler) {
    return route({"OPTIONS"}, pattern, Handler(std::forward<Parts>(handler)...));
  }
  /// Methods as tokens, which are case-sensitive.
  Declared route(std::vector<std::string> methods, std::string_view pattern, const Handler& handler);
  /// An application of the seam at a path: it finds the parameters in AtlasExtension::path_parameters.
  Declared application(std::vector<std::string> methods, std::string_view pattern, Application application);
  /// A path for WebSockets. Its name and its conflicts count; no request comes to it as long as the server
  /// has no such scope.
  Declared websocket(std::string_view pattern, Application application);

  /// All paths beneath `prefix`, with all methods: `application` finds the prefix in its root_path. Its
  /// lifespan begins behind this router's, and ends before it. `prefix` has no parameters; "/" is all that no
  /// other route takes. A router's names are found as "name:inner", with the name that the mount was given.
  Declared mount(std::string_view prefix, Application application);
  Declared mount(std::string_view prefix, const Router& router);
  /// All requests for a host, "api.example.com" or "*.example.com", in any case; whatever their port is.
  void host(std::string_view pattern, Application application);

  /// `declare(Router&)` declares routes beneath `prefix`, which may be empty, and with `layers` around each
  /// of them.
  template <class Declare>
  void group(std::string_view prefix, std::initializer_list<Middleware> layers, Declare declare) {
    Router inner(*this, prefix, layers);
    declare(inner);
  }
  /// Around all of the router, the first outermost: also around what it answers itself, 404 and the like.
  /// Once.
  void use(std::initializer_list<Middleware> layers);

  /// A name for `{x:name}`. Before it is used.
  void converter(std::string name, Converter takes);

  /// See Dependencies, and Request::get.
  template <class T, class Make>
  void per_process(Make make) {
    dependencies().per_process<T>(std::move(make));
  }
  template <class T, class Make>
  void per_worker(Make make) {
    dependencies().per_worker<T>(std::move(make));
  }
  template <class T, class Make>
  void per_request(Make make) {
    dependencies().per_request<T>(std::move(make));
  }

  /// The path of a named route, percent-encoded, beneath wherever the router is mounted. Throws
  /// std::out_of_range for an unknown name, std::invalid_argument for values that do not fit.
  [[nodiscard]] std::string url(std::string_view name, const PathValues& values = {}) const;

  /// Suspends as its handlers do.
  void operator()(const Scope& scope, Receive& receive, Send& send) const;

 private:
  class Table;

  Router(const Router& outer, std::string_view prefix, std::initializer_list<Middleware> layers);
  [[nodiscard]] Dependencies& dependencies();
  [[nodiscard]] std::string full(std::string_view pattern) const;

  std::shared_ptr<Table> table_;
  std::string prefix_;              // of a group
  std::vector<Middleware> layers_;  // of a group
};

}  // namespace atlas::asgi
