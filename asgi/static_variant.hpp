// One form of a file, with what recognises it, and what its responses say. Knows nothing of requests.
#pragma once

#include <atlas/asgi/messages.hpp>
#include <atlas/asgi/static_conditions.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/folder.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace atlas::asgi {

/// The file as it is, or a compressed sibling.
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

/// Whether an error is the name's fault: nothing is there that can be served. A folder has an error of its
/// own.
[[nodiscard]] bool means_no_file(std::error_code error) noexcept;

/// Fills in what recognises it, from its status: all but file, content and what responses say.
void recognise(StaticVariant& variant, std::string_view coding, const FileStatus& status);

}  // namespace atlas::asgi
