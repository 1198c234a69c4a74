#include <atlas/asgi/toolkit/router.hpp>

#include <atlas/asgi/toolkit/router_table.hpp>

namespace atlas::asgi {

Router::Declared& Router::Declared::name(std::string name) {
  router_.table_->set_name(index_, std::move(name));
  return *this;
}

Router::Router(RouterOptions options) : table_(std::make_shared<Table>(options)) {}

Router::Router(const Router& outer, std::string_view prefix, std::initializer_list<Middleware> layers)
    : table_(outer.table_), prefix_(outer.full(prefix)), layers_(outer.layers_) {
  layers_.insert(layers_.end(), layers);
}

std::string Router::full(std::string_view pattern) const { return prefix_ + std::string(pattern); }

Router::Declared Router::route(std::vector<std::string> methods, std::string_view pattern,
                               const Handler& handler) {
  Table::Route route{
      .kind = Table::Kind::handler, .methods = std::move(methods), .pattern = {}, .handler = handler};
  if (!layers_.empty()) route.application = with_middleware(Table::application_of(*table_, handler), layers_);
  return {*this, table_->add(std::move(route), full(pattern))};
}

Router::Declared Router::application(std::vector<std::string> methods, std::string_view pattern,
                                     Application application) {
  return {*this, table_->add({.kind = Table::Kind::application,
                              .methods = std::move(methods),
                              .pattern = {},
                              .application = with_middleware(std::move(application), layers_)},
                             full(pattern))};
}

Router::Declared Router::websocket(std::string_view pattern, Application application) {
  return {*this, table_->add({.kind = Table::Kind::websocket,
                              .pattern = {},
                              .application = with_middleware(std::move(application), layers_)},
                             full(pattern))};
}

Router::Declared Router::mount(std::string_view prefix, Application application) {
  return {*this, table_->add({.kind = Table::Kind::mount,
                              .pattern = {},
                              .application = with_middleware(std::move(application), layers_)},
                             full(prefix))};
}

Router::Declared Router::mount(std::string_view prefix, const Router& router) {
  return {*this, table_->add({.kind = Table::Kind::mount,
                              .pattern = {},
                              .application = with_middleware(router, layers_),
                              .mounted = router.table_},
                             full(prefix))};
}

void Router::host(std::string_view pattern, Application application) {
  table_->add_host(pattern, with_middleware(std::move(application), layers_));
}

void Router::use(std::initializer_list<Middleware> layers) { table_->use(layers); }

void Router::converter(std::string name, Converter takes) {
  table_->converters().add(std::move(name), takes);
}

Dependencies& Router::dependencies() { return table_->dependencies(); }

std::string Router::url(std::string_view name, const PathValues& values) const {
  return table_->url(name, values);
}

void Router::operator()(const Scope& scope, Receive& receive, Send& send) const {
  table_->serve(scope, receive, send);
}

}  // namespace atlas::asgi
