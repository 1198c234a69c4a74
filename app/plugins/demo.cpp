// The demo application as a plugin.
#include <atlas/app/demo.hpp>
#include <atlas/asgi/plugin.hpp>

static const auto demo = atlas::app::demo();
ATLAS_APPLICATION(demo);
