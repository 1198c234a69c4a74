// Applications out of shared libraries. Knows what ATLAS_APPLICATION exports, and nothing of serving.
#pragma once

#include <atlas/asgi/application.hpp>

#include <stdexcept>
#include <string>

namespace atlas::app {

/// Why there is no application: one line that begins with the library's path.
class PluginError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `name` is LIBRARY[:NAME], a path and what ATLAS_APPLICATION was given. Without NAME it is the library's
/// own (libhello.so: hello), or else `app`. The library stays loaded for as long as the process lives. Throws
/// PluginError.
[[nodiscard]] asgi::Application load_application(const std::string& name);

}  // namespace atlas::app
