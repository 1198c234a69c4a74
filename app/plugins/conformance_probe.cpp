// What a server serves while `atlas-conformance` checks it, as a plugin.
#include <atlas/asgi/conformance/probe.hpp>
#include <atlas/asgi/plugin.hpp>

static const auto conformance_probe = atlas::asgi::conformance_probe();
ATLAS_APPLICATION(conformance_probe);
