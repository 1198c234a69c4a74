// error: a function, a const call operator
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

void declare(asgi::Router& routes) {
  routes.get("/", [count = 200](asgi::Request&) mutable { return count++; });
}
