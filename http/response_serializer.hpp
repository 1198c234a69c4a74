// Writes into a buffer what a response consists of beside an application's head (response_head.hpp). That
// fields are sound was checked before (response_check.hpp).
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/request_head.hpp>
#include <atlas/http/response_head.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace atlas::http {

/// Appends a whole 1xx response: 100, 101 or 103. Fields are written as given, `connection` and `upgrade`
/// too. Never send one to a 1.0 client.
void append_interim(ByteBuffer& out, int status, std::span<const Header> headers = {});

/// "HTTP/1.1 100 Continue" and an empty line: what `append_interim(out, 100)` appends.
inline constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

/// A chunk is its head, `size` bytes of data, and its end. `size` must not be 0: that would end the body.
void append_chunk_head(ByteBuffer& out, std::uint64_t size);
inline constexpr std::string_view chunk_end = "\r\n";

/// Ends a chunked body.
void append_last_chunk(ByteBuffer& out, std::span<const Header> trailers = {});

/// A response that the server gives itself, in place of an application's.
struct ErrorResponse {
  int status = 500;
  std::string_view
      text;  // the body, to which a line feed is added; empty: "413 Content Too Large" and the like
  bool head_request = false;  // leaves the body out
  bool keep_alive = false;
  Version version;
};

/// Answers how many bytes its body has.
std::size_t append_error(ByteBuffer& out, const ErrorResponse& response, const ServerFields& server_fields);

}  // namespace atlas::http
