// What a name beneath a folder is, with all that its responses need: looked up once, then shared by many
// requests. Knows nothing of requests.
#pragma once

#include <atlas/asgi/messages.hpp>
#include <atlas/asgi/static_conditions.hpp>
#include <atlas/asgi/static_options.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/folder.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// One form of a file: as it is, or a compressed sibling.
struct StaticVariant {
  std::string_view coding = "identity";
  FileStatus status;
  std::optional<File> file;  ///< None when `content` has all of it.
  std::string content;
  std::string etag;
  std::string last_modified;
  std::int64_t modified = 0;  ///< Seconds since 1970.
  /// Was old enough when it was looked at that a later change shows in its time.
  bool settled = false;
  HttpResponseStart whole;         ///< 200, but for the framing.
  HttpResponseStart not_modified;  ///< 304

  [[nodiscard]] Validators validators() const noexcept { return {etag, modified, settled}; }
};

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
