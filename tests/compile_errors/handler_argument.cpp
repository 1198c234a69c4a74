// error: an Atlas handler is Response(asgi::Request&) or Response()
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

void declare(asgi::Router& routes) {
  routes.get("/", [](int number) { return number; });
}
