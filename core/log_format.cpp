#include <atlas/core/log_format.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace atlas::log {
namespace {

using namespace std::chrono;

void append(LineBuffer& into, std::string_view text) { into.append(text.data(), text.data() + text.size()); }

constexpr std::size_t second_size = std::string_view("2026-11-23T13:39:01").size();

/// The present second in letters: it changes more rarely than lines are written.
struct SecondText {
  std::time_t second = -1;
  std::array<char, second_size> text{};
};
constinit thread_local SecondText last_second;

std::string_view second_text(std::time_t second) {
  if (last_second.second != second) {
    std::tm utc{};
    gmtime_r(&second, &utc);
    fmt::format_to_n(last_second.text.data(), second_size, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
                     utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    last_second.second = second;
  }
  return {last_second.text.data(), second_size};
}

void append_time(LineBuffer& into, system_clock::time_point time) {
  const auto since_epoch = floor<milliseconds>(time.time_since_epoch());
  const auto second = floor<seconds>(since_epoch);
  append(into, second_text(static_cast<std::time_t>(second.count())));
  fmt::format_to(fmt::appender(into), ".{:03}Z", (since_epoch - second).count());
}

unsigned char byte_at(std::string_view text, std::size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
}

bool continues(std::string_view text, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return false;
  }
  return true;
}

/// The size of the UTF-8 sequence that `text` begins with (RFC 3629 §4: the second byte rules out overlong
/// forms, surrogates, and what is past U+10FFFF); 0 when it begins with none.
std::size_t utf8_size(std::string_view text) {
  const auto first = byte_at(text, 0);
  const auto second = byte_at(text, 1);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return continues(text, 1, 2) ? 2 : 0;
  if (first < 0xF0) {
    const bool excluded = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0);
    return !excluded && continues(text, 1, 3) ? 3 : 0;
  }
  const bool excluded = first > 0xF4 || (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return !excluded && continues(text, 1, 4) ? 4 : 0;
}

// U+0080 to U+009F are controls as well: terminals take U+009B for the start of an escape sequence.
bool is_control(std::string_view sequence) {
  const auto first = byte_at(sequence, 0);
  if (first < 0x80) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && byte_at(sequence, 1) < 0xA0;
}

/// The size of the character at the front of `text` if it may stand as it is; else 0.
std::size_t plain_size(Format format, std::string_view text) {
  const char first = text.front();
  if (format == Format::json && (first == '"' || first == '\\')) return 0;
  if (first >= ' ' && first <= '~') return 1;  // nearly all there is
  const auto size = utf8_size(text);
  return is_control(text.substr(0, size)) ? 0 : size;
}

void escape_for_text(LineBuffer& into, std::string_view sequence) {
  for (const char byte : sequence) {
    fmt::format_to(fmt::appender(into), "\\x{:02x}", static_cast<unsigned char>(byte));
  }
}

void escape_for_json(LineBuffer& into, std::string_view sequence) {
  switch (sequence.front()) {
    case '"': return append(into, "\\\"");
    case '\\': return append(into, "\\\\");
    case '\n': return append(into, "\\n");
    case '\r': return append(into, "\\r");
    case '\t': return append(into, "\\t");
    default: break;
  }
  if (utf8_size(sequence) == 0) return append(into, "\\ufffd");
  // Of a control's UTF-8 form, C2 80 to C2 9F, the last byte is the code point.
  fmt::format_to(fmt::appender(into), "\\u{:04x}", byte_at(sequence, sequence.size() - 1));
}

void append_escaped(LineBuffer& into, Format format, std::string_view text) {
  std::size_t plain = 0;
  while (plain < text.size()) {
    const auto rest = text.substr(plain);
    if (const auto size = plain_size(format, rest); size > 0) {
      plain += size;
      continue;
    }
    const auto sequence = rest.substr(0, std::max<std::size_t>(utf8_size(rest), 1));
    append(into, text.substr(0, plain));
    format == Format::json ? escape_for_json(into, sequence) : escape_for_text(into, sequence);
    text = rest.substr(sequence.size());
    plain = 0;
  }
  append(into, text);
}

void append_message(LineBuffer& into, Format format, std::string_view message) {
  std::size_t kept = message.size();
  if (kept > message_bytes_max) {
    kept = message_bytes_max;
    while (kept > 0 && continues(message, kept, kept + 1)) --kept;
  }
  append_escaped(into, format, message.substr(0, kept));
  if (kept < message.size()) {
    fmt::format_to(fmt::appender(into), "… ({} bytes more)", message.size() - kept);
  }
}

bool is_plain_word(std::string_view text) {
  const auto is_plain = [](char c) {
    return c > ' ' && c <= '~' && std::string_view("\"\\=[]").find(c) == std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_plain);
}

void append_text_value(LineBuffer& into, std::string_view value) {
  if (is_plain_word(value)) return append(into, value);
  into.push_back('"');
  for (std::size_t special = 0; special != std::string_view::npos;) {
    special = value.find_first_of("\"\\]");  // the bracket, because it ends what stands before the message
    append_escaped(into, Format::text, value.substr(0, special));
    if (special == std::string_view::npos) break;
    escape_for_text(into, value.substr(special, 1));
    value.remove_prefix(special + 1);
  }
  into.push_back('"');
}

void append_text_fields(LineBuffer& into, std::span<const Field> fields) {
  for (const auto& field : fields) {
    into.push_back(' ');
    append(into, field.name);
    into.push_back('=');
    append_text_value(into, field.value);
  }
}

void append_json_fields(LineBuffer& into, std::span<const Field> fields) {
  for (const auto& field : fields) {
    append(into, ",\"");
    append(into, field.name);
    append(into, "\":\"");
    append_escaped(into, Format::json, field.value);
    into.push_back('"');
  }
}

constexpr std::array<std::string_view, 5> text_names{"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};
constexpr std::array<std::string_view, 5> json_names{"trace", "debug", "info", "warn", "error"};

void format_text(LineBuffer& into, const Line& line) {
  append_time(into, line.time);
  fmt::format_to(fmt::appender(into), " {} [", text_names.at(static_cast<std::size_t>(line.level)));
  if (line.worker >= 0) fmt::format_to(fmt::appender(into), "w{}", line.worker);
  if (line.worker >= 0 && !line.fiber.empty()) into.push_back(' ');
  append_escaped(into, Format::text, line.fiber);
  if (line.worker < 0 && line.fiber.empty()) into.push_back('-');
  append_text_fields(into, line.fields);
  append(into, "] ");
  append_message(into, Format::text, line.message);
}

void format_json(LineBuffer& into, const Line& line) {
  append(into, R"({"time":")");
  append_time(into, line.time);
  fmt::format_to(fmt::appender(into), R"(","level":"{}")",
                 json_names.at(static_cast<std::size_t>(line.level)));
  if (line.worker >= 0) fmt::format_to(fmt::appender(into), ",\"worker\":{}", line.worker);
  if (!line.fiber.empty()) {
    append(into, R"(,"fiber":")");
    append_escaped(into, Format::json, line.fiber);
    into.push_back('"');
  }
  append_json_fields(into, line.fields);
  append(into, R"(,"message":")");
  append_message(into, Format::json, line.message);
  append(into, "\"}");
}

}  // namespace

void format_line(LineBuffer& into, Format format, const Line& line) {
  format == Format::json ? format_json(into, line) : format_text(into, line);
  into.push_back('\n');
}

}  // namespace atlas::log
