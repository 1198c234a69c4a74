// The demo's page: HTML, style and script in one, nothing loaded from elsewhere.
#pragma once

#include <string_view>

namespace atlas::app {

extern const std::string_view demo_page;

}  // namespace atlas::app
