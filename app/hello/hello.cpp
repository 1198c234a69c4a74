#include <atlas/asgi/plugin.hpp>
using namespace atlas;

void hello(const asgi::Scope&, asgi::Receive&, asgi::Send& send) {
  send(asgi::HttpResponseStart{.status = 200, .headers = {{"content-type", "text/plain"}}});
  send(asgi::HttpResponseBody{.body = "hello\n"});
}

ATLAS_APPLICATION(hello);
