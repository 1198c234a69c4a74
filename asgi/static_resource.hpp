// What a name beneath a folder is, with all that its responses need: looked up once, then shared by many
// requests. Knows nothing of requests.
#pragma once

#include <atlas/asgi/static_options.hpp>
#include <atlas/asgi/static_variant.hpp>
#include <atlas/core/folder.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace atlas::asgi {

struct StaticResource {
  enum class Kind : std::uint8_t { file, folder, missing, forbidden };

  Kind kind = Kind::missing;
  std::vector<std::unique_ptr<const StaticVariant>> variants;  ///< Of a file; the first is the file as it is.

  [[nodiscard]] std::size_t content_bytes() const noexcept;
  [[nodiscard]] std::size_t open_files() const noexcept;
  /// Whether the files that it keeps open have the lengths and times they had when they were looked at. Does
  /// not suspend.
  [[nodiscard]] bool open_files_unchanged() const;
};

using StaticResourcePtr = std::shared_ptr<const StaticResource>;

/// Suspends, if the system must ask the disk. What `name` is now: `known` itself, when that still holds.
/// Throws std::system_error when the system cannot tell, for want of descriptors and the like.
[[nodiscard]] StaticResourcePtr find_static_resource(const Folder& folder, const std::string& name,
                                                     const StaticFilesOptions& options,
                                                     const StaticResourcePtr& known);

}  // namespace atlas::asgi
