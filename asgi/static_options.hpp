// What can be set about serving a folder's files, with safe defaults.
#pragma once

#include <atlas/core/folder.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace atlas::asgi {

/// Of each worker, which has a cache of its own.
struct StaticCacheOptions {
  /// How long what was found out about a name holds; zero: every request looks again.
  Duration fresh = std::chrono::seconds(1);
  std::size_t names_max = 4096;      ///< Of files and folders that are there.
  std::size_t open_files_max = 256;  ///< Descriptors kept open.
  /// Files up to this size are kept in memory and need no descriptor; 0: none.
  std::size_t content_file_bytes_max = std::size_t{16} * 1024;
  std::size_t content_bytes_max = std::size_t{16} * 1024 * 1024;  ///< Of all contents in memory.
};

struct StaticFilesOptions {
  /// What is served for a folder; empty: nothing, 404.
  std::string index = "index.html";
  /// Cache-Control's value for files, such as "public, max-age=3600"; empty: none.
  std::string cache_control = {};
  /// By extension in lower case, without the dot; before the built-in ones.
  std::map<std::string, std::string, std::less<>> media_types = {};
  /// Of files whose extension says nothing.
  std::string media_type = "application/octet-stream";
  /// Whether "a.css.br", "a.css.zst" and "a.css.gz" are served for "a.css" to who accepts that. Whoever
  /// writes them sees to it that they belong together.
  bool precompressed = true;
  /// Names that begin with a dot; ".well-known" is always served.
  bool hidden_files = false;
  Symlinks symlinks = Symlinks::within;
  std::size_t ranges_max = 16;  ///< In one request; with more, all of the file is sent.
  StaticCacheOptions cache = {};
};

}  // namespace atlas::asgi
