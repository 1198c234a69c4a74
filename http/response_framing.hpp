// Decides how a response is framed on the wire. A pure function: the writing is response_serializer's.
#pragma once

#include <atlas/http/request_head.hpp>

#include <cstdint>
#include <optional>

namespace atlas::http {

/// What an application's headers ask of the framing.
struct FramingWishes {
  std::optional<std::uint64_t> content_length;
  bool close = false;  // "connection: close"
};

/// What the framing of a response depends on.
struct ResponseFacts {
  Version version;                          // of the request
  bool head_request = false;                // the method was HEAD
  bool keep_alive = true;                   // the client and the server would both go on
  int status = 200;                         // final: 200 to 599
  FramingWishes wishes;                     // the application's
  std::optional<std::uint64_t> body_bytes;  // the whole body's length, where it is known already
  bool trailers = false;                    // the application wants to send trailers
};

/// How a response's body is framed on the wire, and whether the connection outlives it.
struct ResponseFraming {
  enum class Body : std::uint8_t {
    none,            // no body byte may be written: HEAD, 204, 205, 304
    content_length,  // exactly `content_length` bytes
    chunked,
    until_close,  // HTTP/1.0 without a length
  };

  Body body = Body::none;
  std::optional<std::uint64_t> content_length;  // the content-length field to write, if any
  bool transfer_chunked = false;                // whether to write "transfer-encoding: chunked"
  bool keep_alive = false;  // false: write "connection: close", and close after the response
  bool trailers = false;    // whether trailers can be sent at all

  friend bool operator==(const ResponseFraming&, const ResponseFraming&) = default;
};

/// RFC 9112 §6 and §9. The application's wishes hold; it has no others. A known length is declared, unless
/// trailers are wanted and can be sent, or the request was HEAD and the length is 0 (applications commonly
/// leave the body out there). Without any length a body is chunked for 1.1, and for 1.0 ends with the
/// connection.
[[nodiscard]] ResponseFraming choose_framing(const ResponseFacts& facts) noexcept;

}  // namespace atlas::http
