// error: an Atlas handler returns an asgi::Response or what becomes one: text, an int status
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

struct Thing {
  int size;
};

void declare(asgi::Router& routes) {
  routes.get("/", [] { return Thing{1}; });
}
