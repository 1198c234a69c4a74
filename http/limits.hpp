// Every bound of HTTP message parsing, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atlas::http {

/// What a request may at most be, and which status answers one that is more. All are inclusive: a
/// request that is exactly at a limit is served. No limit may be above 1 GiB, except that of the body.
struct Limits {
  /// The request line, in bytes without its line ending. Above: 414.
  std::size_t request_line_bytes_max = 8192;

  /// The header section: all lines behind the request line, with their line endings and the empty
  /// line that ends them, in bytes. Above: 431. A trailer section has the same bound of its own.
  std::size_t header_bytes_max = 32 * 1024;

  /// Header lines of a request. Above: 431. Trailer lines are counted for themselves.
  std::size_t header_count_max = 100;

  /// The body, in bytes and without chunked framing; 0 means unlimited. Above: 413, at the head when
  /// the length is declared, at the first chunk that goes past it when not.
  std::uint64_t body_bytes_max = 16 * 1024 * 1024;

  /// All chunk extensions of one body together, in bytes from behind the chunk size to the line
  /// ending. Above: 400 (a client has no reason to send any).
  std::size_t chunk_extension_bytes_max = 16 * 1024;

  /// Empty lines that are skipped before a request line (RFC 9112 §2.2), in bytes. Above: 400.
  std::size_t leading_crlf_bytes_max = 64;
};

}  // namespace atlas::http
