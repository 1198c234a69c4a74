// Exports an application from a shared library, for `atlas serve libhello.so`.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/version.hpp>

namespace atlas::asgi {

/// What the command looks for in a library. Its first two members never change, so that any version of
/// Atlas can tell any other.
struct Plugin {
  const char* magic;    ///< "atlas-application"
  const char* version;  ///< Of the Atlas it was built against.
  Application (*make)();
};

}  // namespace atlas::asgi

/// At namespace scope, with a semicolon behind it: exports the callable `app` under its own (unqualified)
/// name.
#define ATLAS_APPLICATION(app)                                                                           \
  extern "C" __attribute__((visibility("default"))) const ::atlas::asgi::Plugin atlas_application_##app; \
  const ::atlas::asgi::Plugin atlas_application_##app {                                                  \
    "atlas-application", ::atlas::version, []() { return ::atlas::asgi::Application(app); }              \
  }
