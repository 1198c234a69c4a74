// Compressed responses: by what the client accepts, for what becomes smaller by it.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace atlas::asgi {

struct CompressionOptions {
  std::size_t bytes_min = 1024;  ///< Of a body that comes in one piece; a smaller one is not worth it.
  int gzip_level = 6;            ///< 1 to 9; 0: no gzip.
  int brotli_quality = 4;        ///< 1 to 11; 0: no br.
  int zstd_level = 3;            ///< 1 to 19; 0: no zstd.
  /// Beside "text/…", JSON, JavaScript, XML, SVG, WebAssembly and what ends in "+json" or "+xml".
  std::vector<std::string> media_types = {};
};

/// Compresses 200 and other responses with content whose content-type says that it helps; never event
/// streams, what has a content-encoding already, what says `cache-control: no-transform`, parts (206), and
/// files that the system sends (pathsend, zerocopysend). A stream's pieces are flushed one by one. Strong
/// ETags become weak (RFC 9110 §8.8.3.3), and `vary` gets `accept-encoding`. Throws std::invalid_argument for
/// levels that there are not.
///
/// Where a secret and what an attacker chooses stand in one response, its length tells of the secret
/// (BREACH): leave such responses out.
[[nodiscard]] Middleware compression(const CompressionOptions& options = {});

}  // namespace atlas::asgi
