#include <atlas/asgi/toolkit/json_writer.hpp>

#include <atlas/http/utf8.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace atlas::asgi {
namespace {

constexpr std::size_t number_bytes_max = 32;

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, number_bytes_max> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

constexpr bool needs_escape(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out.append("\\u00").append(1, hex[byte >> 4]).append(1, hex[byte & 0xf]);
}

}  // namespace

void JsonWriter::number(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void JsonWriter::number(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value))
    throw std::invalid_argument("JSON has no infinite numbers, and none that are not one");
  separate();
  const auto begin = out_.size();
  append_number(out_, value);
  // So that it is read back as what it was: 3.0, not 3.
  if (out_.find_first_of(".e", begin) == std::string::npos) out_ += ".0";
}

void JsonWriter::append_text(std::string_view text) {
  if (!http::is_utf8(text)) throw std::invalid_argument("JSON text is UTF-8");
  out_ += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out_.append(text, plain, i - plain);
    append_escaped(out_, text[i]);
    plain = i + 1;
  }
  out_.append(text, plain);
  out_ += '"';
}

}  // namespace atlas::asgi
