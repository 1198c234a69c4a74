// The head of a request: what its request line and its header fields say (RFC 9112 §3, §6 and §9).
#pragma once

#include <atlas/http/header.hpp>
#include <atlas/http/method.hpp>
#include <atlas/http/parse_error.hpp>

#include <compare>
#include <cstdint>
#include <string_view>

namespace atlas::http {

/// 1.0 or 1.1; a client's higher 1.x is taken for 1.1 (RFC 9110 §2.5).
struct Version {
  std::uint8_t major = 1;
  std::uint8_t minor = 1;

  friend auto operator<=>(const Version&, const Version&) = default;
};

inline constexpr Version http_1_0{1, 0};
inline constexpr Version http_1_1{1, 1};

/// How the end of a request's body is found (RFC 9112 §6).
enum class BodyFraming : std::uint8_t { none, content_length, chunked };

/// A request up to its body. All views are valid until the parser's `reset()` and as long as the bytes
/// live that were given to the `parse()` call which answered `head`; earlier bytes need not.
struct RequestHead {
  std::string_view request_line;       // "GET /a?b HTTP/1.1", for logs
  std::string_view method;             // as sent
  std::string_view target;             // as sent: "/a?b", "http://host/a?b" or "*"
  std::string_view path;               // "/a", still percent-encoded; "*" for a target of "*"
  std::string_view query;              // "b", without the question mark
  std::string_view host;               // an absolute target's, else the Host field; empty if 1.0 has none
  HeadersView headers;                 // names in lower case, values trimmed, order and duplicates kept
  std::uint64_t content_length = 0;    // 0 unless the framing is `content_length`
  Method method_id = Method::unknown;  // in a parsed head not `unknown`, `connect` or `pri`: 501
  Version version;
  BodyFraming body_framing = BodyFraming::none;
  bool keep_alive = false;        // the client's wish, by its version and Connection
  bool upgrade = false;           // Upgrade is there, Connection names it, and the version is 1.1
  bool expect_continue = false;   // a body is announced, and waits for a 100; never for 1.0
  bool accepts_trailers = false;  // "TE: trailers"
};

/// Fills a head, of which only `request_line` is set (without its line ending), by what that line says; or
/// says why it is refused: 400, 501 or 505.
[[nodiscard]] ParseError read_request_line(RequestHead& head);

/// Completes a head, whose request line is read and whose `headers` are set, by what the fields say about
/// host, framing and connection; or says why they are refused: 400 or 501.
[[nodiscard]] ParseError read_header_fields(RequestHead& head);

/// A Host field's value or an authority without userinfo (RFC 9110 §7.2): name, IPv4 or [IPv6], and perhaps a
/// port.
[[nodiscard]] bool is_host(std::string_view text) noexcept;

}  // namespace atlas::http
