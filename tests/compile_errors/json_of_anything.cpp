// error: a described member is bool, a number, text
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

struct Thing {
  int size;
};

void declare(asgi::Router& routes) {
  routes.post("/", [](asgi::Request& request) { return request.json<Thing>().size; });
}
