// What a router knows: its routes, and how it answers by them. Internal; see router.hpp.
#pragma once

#include <atlas/asgi/lifespan.hpp>
#include <atlas/asgi/toolkit/host_pattern.hpp>
#include <atlas/asgi/toolkit/route_tree.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

class Router::Table {
 public:
  enum class Kind : std::uint8_t { handler, application, websocket, mount };

  struct Route {
    Kind kind = Kind::handler;
    std::vector<std::string> methods;  ///< Of a mount: none, which means all.
    RoutePattern pattern;
    std::string name = {};
    std::optional<Handler> handler = {};  ///< Called directly, where nothing is around it.
    std::optional<Application> application = {};
    std::shared_ptr<Table> mounted = {};  ///< A router's, for its names.
  };

  explicit Table(RouterOptions options) : options_(options), outermost_(core()) {}

  /// Calls a handler of `table`'s, which must outlive it, from inside of middleware.
  [[nodiscard]] static Application application_of(Table& table, const Handler& handler);

  /// The place of the route, also of one that is refused.
  std::size_t add(Route route, std::string_view pattern);
  void set_name(std::size_t index, std::string name);
  void add_host(std::string_view pattern, Application application);
  void use(std::initializer_list<Middleware> layers);
  [[nodiscard]] Converters& converters() { return declaring(), converters_; }
  [[nodiscard]] Dependencies& dependencies() { return declaring(), dependencies_; }
  [[nodiscard]] const RouterOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::string url(std::string_view name, const PathValues& values) const;

  void serve(const Scope& scope, Receive& receive, Send& send) const { outermost_(scope, receive, send); }

 private:
  struct Host {
    HostPattern pattern;
    Application application;
  };
  struct Match {
    const Route* route = nullptr;
    PathParameters parameters;
  };
  class Lifespans;

  void declaring() const;
  [[nodiscard]] Application core();
  void refuse(std::string text);
  void check_conflicts(const Route& route, const std::vector<std::size_t>& others);

  void serve_inside(const Scope& scope, Receive& receive, Send& send) const;
  void serve_lifespan(const Scope& scope, Receive& receive, Send& send) const;
  void serve_http(const Scope& scope, Receive& receive, Send& send) const;
  void serve_path(const Scope& scope, std::string_view path, Receive& receive, Send& send) const;
  [[nodiscard]] const Application* host_of(const Scope& scope) const;
  [[nodiscard]] bool find(std::string_view path, std::string_view method, Match& match) const;
  [[nodiscard]] const Route* route_of(std::size_t place, std::string_view method) const;
  [[nodiscard]] bool redirects(const Scope& scope, std::string_view path, Send& send) const;
  [[nodiscard]] std::string allowed_methods(std::string_view path) const;
  void dispatch(const Scope& scope, Match& match, Receive& receive, Send& send) const;

  RouterOptions options_;
  Converters converters_;
  Dependencies dependencies_;
  std::vector<Route> routes_;
  RouteTree tree_;
  std::vector<std::vector<std::size_t>> routes_of_place_;
  std::vector<Host> hosts_;
  std::vector<std::string> faults_;
  Application outermost_;
  bool layered_ = false;
  mutable std::atomic<bool> started_ = false;
};

}  // namespace atlas::asgi
