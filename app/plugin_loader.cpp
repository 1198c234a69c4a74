#include <atlas/app/plugin_loader.hpp>

#include <atlas/asgi/plugin.hpp>

#include <fmt/format.h>

#include <dlfcn.h>

#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::app {
namespace {

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... arguments) {
  throw PluginError(fmt::format(format, std::forward<Args>(arguments)...));
}

struct PluginName {
  std::string library;
  std::string application;  // empty: not given
};

/// A colon in a folder's name is part of the path.
PluginName split(const std::string& name) {
  const auto colon = name.rfind(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos) return {name, ""};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

/// What the loader says without the path that it begins with.
std::string loader_message(const std::string& path) {
  const char* text = ::dlerror();
  const std::string message = text != nullptr ? text : "unknown error";
  return message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
}

struct Library {
  std::string path;  // as given
  void* handle;
  std::string missing;  // what the loader says is missing; empty: nothing
};

// A function that is missing must be noticed now, and not by the request that first calls it. But a library
// that was built against another Atlas is better told its version, which can be had when it is loaded lazily.
// Without a slash the loader would look in the system's folders.
Library open(const std::string& library) {
  std::error_code error;
  if (!std::filesystem::exists(library, error)) refuse("{}: no such file", library);
  const auto path = library.find('/') == std::string::npos ? "./" + library : library;
  if (void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return {library, handle, ""};
  auto message = loader_message(path);
  void* handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) refuse("{}: cannot be loaded as a library: {}", library, message);
  return {library, handle, std::move(message)};
}

/// "hello" for "lib/libhello.so".
std::string stem(const std::string& library) {
  auto name = std::filesystem::path(library).filename().string();
  name = name.substr(0, name.find('.'));
  return name.starts_with("lib") ? name.substr(3) : name;
}

const asgi::Plugin* find(void* library, const std::string& application) {
  return static_cast<const asgi::Plugin*>(::dlsym(library, ("atlas_application_" + application).c_str()));
}

const asgi::Plugin& find_any(const Library& library, const std::string& application) {
  const auto candidates =
      application.empty() ? std::vector{stem(library.path), std::string("app")} : std::vector{application};
  for (const auto& candidate : candidates) {
    if (const auto* plugin = find(library.handle, candidate)) return *plugin;
  }
  if (!application.empty()) {
    refuse("{}: has no application '{}' (ATLAS_APPLICATION({}) exports one)", library.path, application,
           application);
  }
  refuse("{}: has no application '{}' or 'app' (name the one that it exports: {}:NAME)", library.path,
         candidates.front(), library.path);
}

void check(const asgi::Plugin& plugin, const Library& library) {
  if (plugin.magic == nullptr || plugin.magic != std::string_view("atlas-application")) {
    refuse("{}: what it exports is not an application of Atlas", library.path);
  }
  if (plugin.version == nullptr || plugin.version != std::string_view(version)) {
    refuse("{}: built against Atlas {}, but this is Atlas {}", library.path,
           plugin.version != nullptr ? plugin.version : "of no version", version);
  }
  if (!library.missing.empty())
    refuse("{}: cannot be loaded as a library: {}", library.path, library.missing);
}

}  // namespace

asgi::Application load_application(const std::string& name) {
  const auto [path, application] = split(name);
  const auto library = open(path);
  const auto& plugin = find_any(library, application);
  check(plugin, library);
  return plugin.make();
}

}  // namespace atlas::app
