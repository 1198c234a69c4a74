// A file as a response: sent by the system, without passing through the process.
#pragma once

#include <atlas/asgi/toolkit/response.hpp>

#include <cstddef>
#include <string>

namespace atlas::asgi {

struct FileResponse {
  std::string media_type = {};     ///< Empty: by the file's name, or else application/octet-stream.
  std::string download_name = {};  ///< Has the browser save it under this name; empty: it is shown.
  /// `etag` and `last-modified`, and what clients ask by them: conditional requests, and ranges (RFC 9110
  /// §13, §14). Only of a response whose status stays 200.
  bool conditional = true;
  std::size_t ranges_max = 10;  ///< In one request; with more, all of the file is sent.
};

/// `path` is absolute, and none that a client chooses: see StaticFiles for a folder's files. 404 when the
/// file is not there when it is sent, or is no regular one. Throws std::invalid_argument for a path that is
/// not absolute.
[[nodiscard]] Response file(std::string path, const FileResponse& options = {});

}  // namespace atlas::asgi
