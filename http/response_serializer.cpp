#include <atlas/http/response_serializer.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/http/response_head.hpp>
#include <atlas/http/status.hpp>
#include <atlas/http/text_writer.hpp>

#include <array>

namespace atlas::http {
namespace {

// "413 Content Too Large"
std::string_view code_and_phrase(int status) {
  std::string_view line = status_line(status);
  line.remove_prefix(std::string_view("HTTP/1.1 ").size());
  line.remove_suffix(std::string_view("\r\n").size());
  return line;
}

}  // namespace

void append_interim(ByteBuffer& out, int status, std::span<const Header> headers) {
  const std::string_view first_line = status_line(status);
  TextWriter writer(out, first_line.size() + line_bytes(headers) + 2);
  writer.put(first_line);
  for (const Header& field : headers) writer.put(field);
  writer.put("\r\n");
  writer.commit();
}

void append_chunk_head(ByteBuffer& out, std::uint64_t size) {
  ATLAS_ASSERT(size > 0, "a chunk of size 0 would end the body");
  TextWriter writer(out, TextWriter::number_bytes_max + 2);
  writer.put_number(size, 16);
  writer.put("\r\n");
  writer.commit();
}

void append_last_chunk(ByteBuffer& out, std::span<const Header> trailers) {
  TextWriter writer(out, line_bytes(trailers) + 5);
  writer.put("0\r\n");
  for (const Header& field : trailers) writer.put(field);
  writer.put("\r\n");
  writer.commit();
}

std::size_t append_error(ByteBuffer& out, const ErrorResponse& response, const ServerFields& server_fields) {
  const std::string_view text = response.text.empty() ? code_and_phrase(response.status) : response.text;
  constexpr std::array<Header, 1> fields{{{"content-type", "text/plain; charset=utf-8"}}};
  const ResponseFraming framing = choose_framing({.version = response.version,
                                                  .head_request = response.head_request,
                                                  .keep_alive = response.keep_alive,
                                                  .status = response.status,
                                                  .wishes = {},
                                                  .body_bytes = text.size() + 1});
  ResponseHead head;
  const auto fault = head.hold(response.status, fields);
  ATLAS_ASSERT(!fault, "the server's own header is faulty");
  head.append_to(out, framing, response.version, server_fields);
  if (framing.body == ResponseFraming::Body::none) return 0;
  out.append(text);
  out.append('\n');
  return text.size() + 1;
}

}  // namespace atlas::http
