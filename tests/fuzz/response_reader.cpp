#include "fuzz/response_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace atlas::testing {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view where) {
  throw BadResponse(fmt::format("{}: '{}'", what, where.substr(0, 200)));
}

bool is_tchar(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         others.find(c) != std::string_view::npos;
}

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::uint64_t read_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc() || stop != end) refuse("a bad number", text);
  return value;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lowered;
}

/// Nothing while the line's end has not come.
std::optional<std::string_view> take_line(std::string_view& input) {
  const auto line_end = input.find("\r\n");
  if (line_end == std::string_view::npos) return std::nullopt;
  const auto line = input.substr(0, line_end);
  input.remove_prefix(line_end + 2);
  if (!std::ranges::all_of(line, is_text)) refuse("a control character", line);
  return line;
}

int read_status_line(std::string_view line) {
  constexpr std::string_view version = "HTTP/1.1 ";
  const bool well_formed = line.starts_with(version) && line.size() >= version.size() + 4 && line[12] == ' ';
  if (!well_formed) refuse("a bad status line", line);
  const auto status = static_cast<int>(read_number(line.substr(version.size(), 3), 10));
  if (status < 100 || status > 599) refuse("a bad status", line);
  return status;
}

void add_field(ReadResponse::Fields& fields, std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() || !std::ranges::all_of(name, is_tchar)) {
    refuse("a bad field", line);
  }
  auto value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  fields.emplace_back(lower(name), value);
}

/// Takes lines up to an empty one, which must have come.
void take_fields(ReadResponse::Fields& fields, std::string_view& input) {
  while (const auto line = take_line(input)) {
    if (line->empty()) return;
    add_field(fields, *line);
  }
  refuse("a section without an end", input);
}

/// Whether the empty line has come that ends a section of lines.
bool has_section(std::string_view input) {
  return input.starts_with("\r\n") || input.find("\r\n\r\n") != std::string_view::npos;
}

void read_framing(ReadResponse& response, const Asked& asked) {
  for (const auto& [name, value] : response.fields) {
    if (name == "content-length") {
      if (response.length) refuse("two lengths", value);
      response.length = read_number(value, 10);
    } else if (name == "transfer-encoding") {
      if (response.chunked || value != "chunked") refuse("an unknown coding", value);
      response.chunked = true;
    } else if (name == "connection") {
      if (value == "upgrade" && response.find("upgrade")) continue;
      if (value != "close" && value != "keep-alive") refuse("an unknown connection option", value);
      response.keeps_alive = value == "keep-alive";
    }
  }
  if (response.length && response.chunked) refuse("framed twice", "");
  if (response.chunked && asked.http_1_0) refuse("chunked for HTTP/1.0", "");
  const bool unframed = response.status < 200 || response.status == 204;
  if (unframed && (response.length || response.chunked)) refuse("framing where there may be none", "");
}

/// False when more has to come.
bool take_chunk(ReadResponse& response, std::string_view& input) {
  auto rest = input;
  const auto line = take_line(rest);
  if (!line) return input = {}, false;
  const auto size = read_number(*line, 16);
  if (size == 0) {
    if (!has_section(rest)) return input = {}, false;
    take_fields(response.trailers, rest);
    response.complete = true;
    return input = rest, false;
  }
  response.body += rest.substr(0, size);
  if (rest.size() < size + 2) return input = {}, false;
  if (rest.substr(size, 2) != "\r\n") refuse("no line end behind a chunk", rest.substr(size));
  return input = rest.substr(size + 2), true;
}

void take_body(ReadResponse& response, std::string_view& input, const Asked& asked, bool ended) {
  const bool none = asked.head || response.status < 200 || response.status == 204 || response.status == 304;
  if (none) {
    response.complete = true;
  } else if (response.chunked) {
    while (take_chunk(response, input)) continue;
  } else if (response.length) {
    response.body = input.substr(0, *response.length);
    input.remove_prefix(response.body.size());
    response.complete = response.body.size() == *response.length;
  } else {
    response.body = input;
    input = {};
    if (response.keeps_alive) refuse("a body without an end on a connection that goes on", response.body);
    response.complete = ended;
  }
}

}  // namespace

std::optional<std::string_view> ReadResponse::find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return std::nullopt;
}

ReadResponse read_response(std::string_view& input, const Asked& asked, bool ended) {
  ReadResponse response;
  response.keeps_alive = !asked.http_1_0;
  if (!has_section(input)) return input = {}, response;
  response.status = read_status_line(take_line(input).value_or(""));
  if (response.status < 200 && asked.http_1_0) refuse("an interim response for HTTP/1.0", "");
  take_fields(response.fields, input);
  response.head_complete = true;
  read_framing(response, asked);
  take_body(response, input, asked, ended);
  return response;
}

}  // namespace atlas::testing
