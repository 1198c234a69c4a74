// error: or &Class::member together with its object
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

struct Shop {
  int list(asgi::Request&) { return 200; }
};

void declare(asgi::Router& routes) { routes.get("/", &Shop::list); }
