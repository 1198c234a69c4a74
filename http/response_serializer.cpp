#include <atlas/http/response_serializer.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/http/status.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace atlas::http {
namespace {

constexpr int status_min = 100;
constexpr int status_max = 599;
constexpr std::size_t status_line_bytes_max = 64;

// "HTTP/1.1 200 OK\r\n". A response always says 1.1, also to a 1.0 client: it is the server's version (RFC
// 9110 §2.5).
struct StatusLine {
  std::array<char, status_line_bytes_max> text;
  std::uint8_t bytes;
};

class StatusLines {
 public:
  StatusLines() noexcept {
    for (int status = status_min; status <= status_max; ++status) fill(lines_[index(status)], status);
  }

  [[nodiscard]] std::string_view of(int status) const noexcept {
    const StatusLine& line = lines_[index(status)];
    return {line.text.data(), line.bytes};
  }

 private:
  static std::size_t index(int status) noexcept { return static_cast<std::size_t>(status - status_min); }

  static void fill(StatusLine& line, int status) noexcept {
    char* at = put(line.text.data(), "HTTP/1.1 ");
    at = std::to_chars(at, at + 3, status).ptr;
    at = put(at, " ");  // stays where there is no phrase (RFC 9112 §4)
    at = put(at, reason_phrase(status));
    at = put(at, "\r\n");
    line.bytes = static_cast<std::uint8_t>(at - line.text.data());
  }

  static char* put(char* at, std::string_view text) noexcept { return std::ranges::copy(text, at).out; }

  std::array<StatusLine, status_max - status_min + 1> lines_;
};

std::string_view status_line(int status) {
  static const StatusLines lines;
  ATLAS_ASSERT(status >= status_min && status <= status_max, "response status is not in 100 to 599");
  return lines.of(status);
}

// "413 Content Too Large"
std::string_view code_and_phrase(int status) {
  std::string_view line = status_line(status);
  line.remove_prefix(std::string_view("HTTP/1.1 ").size());
  line.remove_suffix(std::string_view("\r\n").size());
  return line;
}

// Writes text into memory that was prepared for all of it at once.
class Writer {
 public:
  Writer(ByteBuffer& out, std::size_t bytes_max) : out_(out), begin_(out.prepare(bytes_max)), at_(begin_) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { out_.commit(static_cast<std::size_t>(at_ - begin_)); }

  void put(std::string_view text) noexcept {
    copy(text.data(), text.size());
    at_ += text.size();
  }

  void put(const Header& field) noexcept {
    put(field.name);
    put(": ");
    put(field.value);
    put("\r\n");
  }

  void put_number(std::uint64_t number, int base = 10) noexcept {
    at_ = std::to_chars(at_, at_ + number_bytes_max, number, base).ptr;
  }

  static constexpr std::size_t number_bytes_max = 20;

 private:
  // Names and most values are short: two moves, which may overlap, cost half of what a call of memcpy does.
  void copy(const char* text, std::size_t size) noexcept {
    if (size >= 8 && size <= 16) {
      std::memcpy(at_, text, 8);
      std::memcpy(at_ + size - 8, text + size - 8, 8);
    } else if (size > 0) {
      std::memcpy(at_, text, size);
    }
  }

  ByteBuffer& out_;
  char* begin_;
  char* at_;
};

constexpr std::size_t separators_bytes = 4;  // ": " and CRLF

std::size_t bytes_of(std::span<const Header> headers) noexcept {
  std::size_t bytes = 0;
  for (const Header& field : headers) bytes += field.name.size() + field.value.size() + separators_bytes;
  return bytes;
}

// What becomes of an application's field.
enum class Part : std::uint8_t { own, framing, date, server };

Part part_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 4: return iequals(name, "date") ? Part::date : Part::own;
    case 6: return iequals(name, "server") ? Part::server : Part::own;
    case 10: return iequals(name, "connection") ? Part::framing : Part::own;
    case 14: return iequals(name, "content-length") ? Part::framing : Part::own;
    case 17: return iequals(name, "transfer-encoding") ? Part::framing : Part::own;
    default: return Part::own;
  }
}

void put_status_line(Writer& writer, int status) {
  if (status == 200) return writer.put("HTTP/1.1 200 OK\r\n");  // most of them: two moves
  writer.put(status_line(status));
}

void put_framing(Writer& writer, const ResponseFraming& framing, Version version) noexcept {
  if (framing.content_length) {
    writer.put("content-length: ");
    writer.put_number(*framing.content_length);
    writer.put("\r\n");
  }
  if (framing.transfer_chunked) writer.put("transfer-encoding: chunked\r\n");
  if (!framing.keep_alive) {
    writer.put("connection: close\r\n");
  } else if (version < http_1_1) {
    writer.put("connection: keep-alive\r\n");
  }
}

// The longest that framing fields, the server field's name and the empty line can be together.
constexpr std::size_t added_bytes_max = 160;

}  // namespace

void append_head(ByteBuffer& out, const ResponseFacts& facts, const ResponseFraming& framing,
                 const ServerFields& server_fields) {
  Writer writer(out, status_line_bytes_max + bytes_of(facts.headers) + server_fields.date_line.size() +
                         server_fields.server.size() + added_bytes_max);
  bool date_given = false;
  bool server_given = false;
  put_status_line(writer, facts.status);
  for (const Header& field : facts.headers) {
    const Part part = part_of(field.name);
    if (part == Part::framing) continue;
    date_given = date_given || part == Part::date;
    server_given = server_given || part == Part::server;
    writer.put(field);
  }
  put_framing(writer, framing, facts.version);
  if (!date_given) writer.put(server_fields.date_line);
  if (!server_given && !server_fields.server.empty()) writer.put(Header{"server", server_fields.server});
  writer.put("\r\n");
}

void append_interim(ByteBuffer& out, int status, std::span<const Header> headers) {
  const std::string_view first_line = status_line(status);
  Writer writer(out, first_line.size() + bytes_of(headers) + 2);
  writer.put(first_line);
  for (const Header& field : headers) writer.put(field);
  writer.put("\r\n");
}

void append_chunk_head(ByteBuffer& out, std::uint64_t size) {
  ATLAS_ASSERT(size > 0, "a chunk of size 0 would end the body");
  Writer writer(out, Writer::number_bytes_max + 2);
  writer.put_number(size, 16);
  writer.put("\r\n");
}

void append_last_chunk(ByteBuffer& out, std::span<const Header> trailers) {
  Writer writer(out, bytes_of(trailers) + 5);
  writer.put("0\r\n");
  for (const Header& field : trailers) writer.put(field);
  writer.put("\r\n");
}

void append_error(ByteBuffer& out, const ErrorResponse& response, const ServerFields& server_fields) {
  const std::string_view text = response.text.empty() ? code_and_phrase(response.status) : response.text;
  const std::array<Header, 1> headers{{{"content-type", "text/plain; charset=utf-8"}}};
  const ResponseFacts facts{.version = response.version,
                            .head_request = response.head_request,
                            .keep_alive = response.keep_alive,
                            .status = response.status,
                            .headers = headers,
                            .body_bytes = text.size() + 1};
  const ResponseFraming framing = choose_framing(facts);
  append_head(out, facts, framing, server_fields);
  if (framing.body == ResponseFraming::Body::none) return;
  out.append(text);
  out.append('\n');
}

}  // namespace atlas::http
