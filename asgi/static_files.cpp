#include <atlas/asgi/static_files.hpp>

#include <atlas/asgi/static_cache.hpp>
#include <atlas/asgi/static_encodings.hpp>
#include <atlas/asgi/static_path.hpp>
#include <atlas/asgi/static_response.hpp>
#include <atlas/core/scheduler.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <system_error>
#include <utility>

namespace atlas::asgi {
namespace {

using Kind = StaticResource::Kind;

// Workers beyond these share.
constexpr std::size_t caches = 64;

Folder open_folder(const std::string& path) {
  auto folder = Folder::open(path);
  if (!folder) throw std::system_error(folder.error(), fmt::format("folder '{}'", path));
  return *std::move(folder);
}

/// The variant that the client wants most; the file as it is when it wants none.
const StaticVariant& choose_variant(const StaticResource& resource, http::HeadersView headers) {
  const auto* chosen = resource.variants[0].get();
  if (resource.variants.size() == 1 || !headers.contains("accept-encoding")) return *chosen;
  int best = coding_quality(headers, "identity");
  for (std::size_t i = 1; i < resource.variants.size(); ++i) {
    const int quality = coding_quality(headers, resource.variants[i]->coding);
    // Wanted as much, the first compressed one goes before the file as it is.
    if (quality < best || quality == 0 || (quality == best && chosen != resource.variants[0].get())) continue;
    best = quality;
    chosen = resource.variants[i].get();
  }
  return *chosen;
}

}  // namespace

struct StaticFiles::State {
  State(const std::string& path, StaticFilesOptions given)
      : folder(open_folder(path)), options(std::move(given)) {}

  [[nodiscard]] StaticResourcePtr find(const Scope& scope, std::string_view name);
  void serve(const Scope& scope, const StaticPath& path, Send& send);
  void serve_index(const Scope& scope, const StaticPath& path, Send& send);
  void serve_resource(const Scope& scope, const StaticResource& resource, Send& send) const;

  const Folder folder;
  const StaticFilesOptions options;
  std::array<StaticCache, caches> cache_of_worker;
};

StaticResourcePtr StaticFiles::State::find(const Scope& scope, std::string_view name) {
  auto& cache = cache_of_worker[static_cast<unsigned>(scope.extensions.atlas.worker) % caches];
  const auto now = Scheduler::current()->turn_time();
  auto known = cache.find(name, now, options.cache.fresh);
  if (known.fresh && known.resource->open_files_unchanged()) return std::move(known.resource);
  auto found = find_static_resource(folder, std::string(name), options, known.resource);
  // Names that mean nothing are many, and would drive out those that do. So are those beneath a folder that
  // may not be entered.
  if (found->kind == Kind::file || found->kind == Kind::folder) cache.put(name, found, now, options.cache);
  return found;
}

void StaticFiles::State::serve(const Scope& scope, const StaticPath& path, Send& send) {
  if (path.names_folder) return serve_index(scope, path, send);
  if (path.name.empty()) return send_redirect(send, scope);
  const auto resource = find(scope, path.name);
  if (resource->kind == Kind::folder) return send_redirect(send, scope);
  serve_resource(scope, *resource, send);
}

void StaticFiles::State::serve_index(const Scope& scope, const StaticPath& path, Send& send) {
  if (options.index.empty()) return send_status(send, 404);
  std::string name(path.name);
  if (!name.empty()) name += '/';
  name += options.index;
  const auto resource = find(scope, name);
  serve_resource(scope, *resource, send);
}

void StaticFiles::State::serve_resource(const Scope& scope, const StaticResource& resource,
                                        Send& send) const {
  switch (resource.kind) {
    case Kind::file:
      return send_variant(scope, send, choose_variant(resource, scope.headers), options.ranges_max);
    case Kind::forbidden: return send_status(send, 403);
    case Kind::folder:
    case Kind::missing: return send_status(send, 404);
  }
}

StaticFiles::StaticFiles(const std::string& folder, StaticFilesOptions options)
    : state_(std::make_shared<State>(folder, std::move(options))) {}

void StaticFiles::operator()(const Scope& scope, Receive&, Send& send) const {
  if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
  if (scope.method != "GET" && scope.method != "HEAD") return send_method_not_allowed(send);
  const auto path = static_path(scope, state_->options.hidden_files);
  if (!path) return send_status(send, 404);
  state_->serve(scope, *path, send);
}

}  // namespace atlas::asgi
