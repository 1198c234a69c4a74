// error: Atlas reads bool, numbers and text out of text
#include <atlas/asgi/toolkit/router.hpp>
using namespace atlas;

struct Colour {};

void declare(asgi::Router& routes) {
  routes.get("/{colour}", [](asgi::Request& request) {
    static_cast<void>(request.path<Colour>("colour"));
    return 204;
  });
}
