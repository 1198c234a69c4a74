// Compressed request bodies, read as if they were not: with bounds, since a few bytes can become very many.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <cstddef>
#include <cstdint>

namespace atlas::asgi {

struct DecompressionOptions {
  std::uint64_t bytes_max = std::uint64_t{16} << 20;  ///< Of a body, decompressed. Above: 413.
  /// Of what comes out to what came in, once `ratio_bytes_min` have come out. Above: 413.
  std::uint64_t ratio_max = 200;
  std::uint64_t ratio_bytes_min = std::uint64_t{1} << 20;
  std::size_t codings_max = 2;  ///< One upon the other. More: 415.
};

/// gzip, deflate, br and zstd; for any other 415 with `accept-encoding`, for what is malformed or ends too
/// early 400. The application finds neither content-encoding nor content-length, and gets the body in pieces,
/// whose memory is bounded.
[[nodiscard]] Middleware decompression(const DecompressionOptions& options = {});

}  // namespace atlas::asgi
