// Status codes: their reason phrases, and what a code says about the framing of its message.
#pragma once

#include <cstddef>
#include <string_view>

namespace atlas::http {

/// The phrase that IANA registered for the code ("Not Found"); empty for any other.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// "HTTP/1.1 404 Not Found\r\n". A response always says 1.1, also to a 1.0 client: it is the server's version
/// (RFC 9110 §2.5). The status must be 100 to 599.
[[nodiscard]] std::string_view status_line(int status);
inline constexpr std::size_t status_line_bytes_max = 64;

/// 1xx: more responses to the same request follow (but for 101, which ends HTTP on the connection).
[[nodiscard]] constexpr bool is_informational(int status) noexcept { return status >= 100 && status < 200; }

/// A status that an application may give to its response proper: 200 to 599.
[[nodiscard]] constexpr bool is_final(int status) noexcept { return status >= 200 && status < 600; }

/// Statuses whose messages never have a body: 1xx, 204 and 304 (RFC 9112 §6.3), and 205, which may
/// not have content although it is framed like any other (RFC 9110 §15.3.6).
[[nodiscard]] constexpr bool forbids_body(int status) noexcept {
  return is_informational(status) || status == 204 || status == 205 || status == 304;
}

/// Statuses whose messages may not have a content-length field: 1xx and 204 (RFC 9110 §8.6).
[[nodiscard]] constexpr bool forbids_content_length(int status) noexcept {
  return is_informational(status) || status == 204;
}

}  // namespace atlas::http
