#include <atlas/asgi/toolkit/router_table.hpp>

#include <atlas/asgi/static_path.hpp>
#include <atlas/asgi/toolkit/handler_call.hpp>
#include <atlas/asgi/toolkit/problem.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

/// All beneath `prefix`, whether or not it has a slash at its end: "/" and "" are all there is.
std::string mount_pattern(std::string_view prefix) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return std::string(prefix).append("/{path_below:path}");
}

bool share_a_method(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  return one.empty() || other.empty() || std::ranges::any_of(one, [&](const auto& method) {
           return std::ranges::find(other, method) != other.end();
         });
}

/// Methods are too short for a call of memcmp.
bool is_same_method(std::string_view one, std::string_view other) noexcept {
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] != other[i]) return false;
  }
  return true;
}

/// What of the scope's path lies beneath its root. "/" for nothing.
std::string_view path_below_root(const Scope& scope) noexcept {
  auto path = scope.path;
  if (!scope.root_path.empty() && path.starts_with(scope.root_path))
    path.remove_prefix(scope.root_path.size());
  return path.empty() ? std::string_view("/") : path;
}

/// What a lifespan's dependencies end with.
struct Unmaking {
  Unmaking(const Dependencies& made, const Scope& made_for) noexcept : dependencies(made), scope(made_for) {}
  ~Unmaking() { dependencies.stop(scope); }
  Unmaking(const Unmaking&) = delete;
  Unmaking& operator=(const Unmaking&) = delete;

  const Dependencies& dependencies;
  const Scope& scope;
};

void send_allow(const Scope& scope, Send& send, const std::string& allowed) {
  if (scope.method == "OPTIONS") return Response(204).with("allow", allowed).send(scope, send);
  error_response(HttpError(405, "this path has other methods", {{"allow", allowed}})).send(scope, send);
}

}  // namespace

// ---- declaring ----

void Router::Table::declaring() const {
  if (started_.load(std::memory_order_relaxed))
    throw std::logic_error("a router was changed after the server has started");
}

void Router::Table::refuse(std::string text) { faults_.push_back(std::move(text)); }

std::size_t Router::Table::add(Route route, std::string_view pattern) {
  declaring();
  const auto index = routes_.size();
  try {
    route.pattern =
        parse_pattern(route.kind == Kind::mount ? mount_pattern(pattern) : std::string(pattern), converters_);
    const auto place = tree_.add(route.pattern);
    routes_of_place_.resize(tree_.size());
    check_conflicts(route, routes_of_place_[place]);
    routes_of_place_[place].push_back(index);
  } catch (const BadPattern& error) {
    refuse(error.what());
  }
  if (route.kind == Kind::mount && std::string(pattern).find('{') != std::string::npos)
    refuse(fmt::format("mount '{}' has a parameter", pattern));
  routes_.push_back(std::move(route));
  return index;
}

void Router::Table::check_conflicts(const Route& route, const std::vector<std::size_t>& others) {
  const auto title = [](const Route& one) {
    return one.methods.empty() ? fmt::format("'{}'", one.pattern.text)
                               : fmt::format("'{} {}'", fmt::join(one.methods, ","), one.pattern.text);
  };
  for (const auto index : others) {
    const auto& other = routes_[index];
    if ((route.kind == Kind::websocket) != (other.kind == Kind::websocket)) continue;
    if (share_a_method(route.methods, other.methods))
      refuse(fmt::format("route {} matches the same requests as {}", title(route), title(other)));
  }
}

void Router::Table::set_name(std::size_t index, std::string name) {
  declaring();
  const auto same = std::ranges::find(routes_, name, &Route::name);
  if (same != routes_.end() && !name.empty()) {
    refuse(fmt::format("two routes are named '{}': '{}' and '{}'", name, same->pattern.text,
                       routes_[index].pattern.text));
  }
  routes_[index].name = std::move(name);
}

void Router::Table::add_host(std::string_view pattern, Application application) {
  declaring();
  try {
    HostPattern parsed(pattern);
    if (std::ranges::find(hosts_, parsed, &Host::pattern) != hosts_.end())
      refuse(fmt::format("host '{}' is declared twice", pattern));
    hosts_.push_back({std::move(parsed), std::move(application)});
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  }
}

void Router::Table::use(std::initializer_list<Middleware> layers) {
  declaring();
  if (std::exchange(layered_, true)) throw std::logic_error("a router's use() was called twice");
  outermost_ = with_middleware(core(), layers);
}

// Owned by the table, so that it cannot own it.
Application Router::Table::core() {
  return [this](const Scope& scope, Receive& receive, Send& send) { serve_inside(scope, receive, send); };
}

Application Router::Table::application_of(Table& table, const Handler& handler) {
  return [&table, handler](const Scope& scope, Receive& receive, Send& send) {
    answer_with(handler, scope, receive, send, *scope.extensions.atlas.path_parameters,
                table.options_.limits);
  };
}

std::string Router::Table::url(std::string_view name, const PathValues& values) const {
  const auto colon = name.find(':');
  const auto own_name = name.substr(0, colon);
  const auto found = std::ranges::find(routes_, own_name, &Route::name);
  if (own_name.empty() || found == routes_.end())
    throw std::out_of_range(fmt::format("no route is named '{}'", own_name));
  if (colon == std::string_view::npos) {
    if (found->kind == Kind::mount) return path_of(found->pattern, {{"path_below", ""}});
    return path_of(found->pattern, values);
  }
  if (found->mounted == nullptr) throw std::out_of_range(fmt::format("'{}' is no mounted router", own_name));
  const auto below = found->mounted->url(name.substr(colon + 1), values);
  return path_of(found->pattern, {{"path_below", ""}}).append(below, 1);
}

// ---- serving ----

void Router::Table::serve_inside(const Scope& scope, Receive& receive, Send& send) const {
  if (scope.type == ScopeType::lifespan) return serve_lifespan(scope, receive, send);
  if (!faults_.empty()) throw std::logic_error(faults_.front());
  serve_http(scope, receive, send);
}

void Router::Table::serve_http(const Scope& scope, Receive& receive, Send& send) const {
  if (!hosts_.empty()) {
    if (const auto* application = host_of(scope)) return (*application)(scope, receive, send);
  }
  serve_path(scope, path_below_root(scope), receive, send);
}

const Application* Router::Table::host_of(const Scope& scope) const {
  const auto name = host_name(scope.headers.find("host").value_or(""));
  const Host* best = nullptr;
  for (const auto& candidate : hosts_) {
    if (!candidate.pattern.matches(name)) continue;
    if (best == nullptr || candidate.pattern.is_narrower_than(best->pattern)) best = &candidate;
  }
  return best != nullptr ? &best->application : nullptr;
}

void Router::Table::serve_path(const Scope& scope, std::string_view path, Receive& receive,
                               Send& send) const {
  Match match;
  if (find(path, scope.method, match) || (scope.method == "HEAD" && find(path, "GET", match)))
    return dispatch(scope, match, receive, send);
  if (const auto allowed = allowed_methods(path); !allowed.empty()) return send_allow(scope, send, allowed);
  if (redirects(scope, path, send)) return;
  error_response(HttpError(404)).send(scope, send);
}

bool Router::Table::find(std::string_view path, std::string_view method, Match& match) const {
  const auto wanted = [&](std::size_t place) { return (match.route = route_of(place, method)) != nullptr; };
  return tree_.find(path, match.parameters, wanted) != RouteTree::none;
}

const Router::Table::Route* Router::Table::route_of(std::size_t place, std::string_view method) const {
  for (const auto index : routes_of_place_[place]) {
    const auto& route = routes_[index];
    if (route.kind == Kind::websocket) continue;
    const auto is_ours = [method](const std::string& own) { return is_same_method(own, method); };
    if (route.methods.empty() || std::ranges::any_of(route.methods, is_ours)) return &route;
  }
  return nullptr;
}

void Router::Table::dispatch(const Scope& scope, Match& match, Receive& receive, Send& send) const {
  const auto& route = *match.route;
  match.parameters.set_names(route.pattern.names);
  if (!route.application)
    return answer_with(*route.handler, scope, receive, send, match.parameters, options_.limits);
  Scope inner = scope;
  inner.extensions.atlas.path_parameters = &match.parameters;
  if (route.kind == Kind::mount) {
    const auto below =
        match.parameters.begin()->value.size() + 1;  // with the slash before it, if there is one
    inner.root_path = scope.path.substr(0, scope.path.size() - std::min(below, scope.path.size()));
    inner.extensions.atlas.path_parameters = scope.extensions.atlas.path_parameters;
  }
  (*route.application)(inner, receive, send);
}

// Of all that would match: a handler of another method may be at another pattern.
std::string Router::Table::allowed_methods(std::string_view path) const {
  std::vector<std::string_view> methods;
  const auto allow = [&](std::string_view method) {
    if (std::ranges::find(methods, method) == methods.end()) methods.push_back(method);
  };
  PathParameters parameters;
  static_cast<void>(tree_.find(path, parameters, [&](std::size_t place) {
    for (const auto index : routes_of_place_[place]) {
      for (const auto& method : routes_[index].methods) {
        allow(method);
        if (method == "GET") allow("HEAD");
      }
    }
    return false;
  }));
  if (!methods.empty()) allow("OPTIONS");
  return fmt::format("{}", fmt::join(methods, ", "));
}

// A path that begins with two slashes would name another host.
bool Router::Table::redirects(const Scope& scope, std::string_view path, Send& send) const {
  if (!options_.redirect_slashes || path == "/" || scope.path.starts_with("//")) return false;
  std::string other(path);
  path.ends_with('/') ? other.pop_back() : other.push_back('/');
  PathParameters parameters;
  const auto any = [&](std::size_t place) {
    return std::ranges::any_of(routes_of_place_[place],
                               [&](auto index) { return routes_[index].kind != Kind::websocket; });
  };
  if (tree_.find(other, parameters, any) == RouteTree::none) return false;
  auto location = escaped_path(scope.path.substr(0, scope.path.size() - path.size())) + escaped_path(other);
  if (!scope.query_string.empty()) location.append("?").append(scope.query_string);
  redirect(location, 308).send(scope, send);
  return true;
}

// ---- lifespan ----

/// Those of what is mounted, in the order of declaration.
class Router::Table::Lifespans {
 public:
  Lifespans(const Table& table, const Scope& scope) : scope_(scope) {
    for (const auto& route : table.routes_) {
      if (route.kind == Kind::mount) applications_.push_back(&*route.application);
    }
    for (const auto& host : table.hosts_) applications_.push_back(&host.application);
  }

  /// An error's text when one has failed.
  [[nodiscard]] std::optional<std::string> start_up() {
    for (const auto* application : applications_) {
      auto& lifespan = *begun_.emplace_back(std::make_unique<Lifespan>(*application, scope_));
      if (auto error = lifespan.start_up()) return error;
      scope_.state = lifespan.state();
    }
    return std::nullopt;
  }

  /// All of them; the first error's text.
  [[nodiscard]] std::optional<std::string> shut_down() {
    std::optional<std::string> first;
    for (; !begun_.empty(); begun_.pop_back()) {
      auto error = begun_.back()->shut_down();
      if (error && !first) first = std::move(error);
    }
    return first;
  }

 private:
  const Scope& scope_;
  std::vector<const Application*> applications_;
  std::vector<std::unique_ptr<Lifespan>> begun_;
};

void Router::Table::serve_lifespan(const Scope& scope, Receive& receive, Send& send) const {
  started_.store(true, std::memory_order_relaxed);
  static_cast<void>(receive());  // lifespan.startup
  try {
    if (!faults_.empty()) throw std::runtime_error(faults_.front());
    dependencies_.start(scope);
  } catch (const std::exception& error) {
    return send(LifespanStartupFailed{.message = error.what()});
  }
  std::optional<Unmaking> dependencies(std::in_place, dependencies_, scope);
  Lifespans lifespans(*this, scope);
  if (scope.extensions.atlas.worker >= 0) start_background(scope);
  if (auto error = lifespans.start_up()) return send(LifespanStartupFailed{.message = *std::move(error)});
  send(LifespanStartupComplete{});
  static_cast<void>(receive());  // lifespan.shutdown
  end_background(scope, options_.background_patience);
  const auto error = lifespans.shut_down();
  dependencies.reset();
  if (error) return send(LifespanShutdownFailed{.message = *error});
  send(LifespanShutdownComplete{});
}

}  // namespace atlas::asgi
