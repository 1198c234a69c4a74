// error: Is a return missing?
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

void declare(asgi::Router& routes) {
  routes.get("/", [](asgi::Request& request) { asgi::text(request.path()); });
}
