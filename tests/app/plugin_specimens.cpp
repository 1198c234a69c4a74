// A library as `atlas serve` may be given: with an application that is fine, and with some that must be
// refused.
#include <atlas/asgi/plugin.hpp>

#include <string>

using namespace atlas;

namespace {

void answer(asgi::Send& send, const char* text) {
  send(asgi::HttpResponseStart{.headers = {{"content-type", "text/plain"}}});
  send(asgi::HttpResponseBody{.body = text});
}

void app(const asgi::Scope&, asgi::Receive&, asgi::Send& send) { answer(send, "app\n"); }
void greeting(const asgi::Scope&, asgi::Receive&, asgi::Send& send) { answer(send, "greeting\n"); }

/// Its start-up fails with what a library would say: several lines.
void unwell(const asgi::Scope& scope, asgi::Receive&, asgi::Send& send) {
  if (scope.type == asgi::ScopeType::lifespan)
    send(asgi::LifespanStartupFailed{.message = "no database\nat all"});
}

}  // namespace

ATLAS_APPLICATION(app);
ATLAS_APPLICATION(greeting);
ATLAS_APPLICATION(unwell);

#define ATLAS_SPECIMEN(name, magic, version)                                                     \
  extern "C" __attribute__((visibility("default"))) const asgi::Plugin atlas_application_##name; \
  const asgi::Plugin atlas_application_##name { magic, version, nullptr }

ATLAS_SPECIMEN(from_the_past, "atlas-application", "0.0.9");
ATLAS_SPECIMEN(impostor, "atlas-modules", "0.1.0");
