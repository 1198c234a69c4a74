#include <atlas/asgi/access_log.hpp>

#include <atlas/asgi/cost_text.hpp>
#include <atlas/asgi/unix_time.hpp>
#include <atlas/core/log_sink.hpp>
#include <atlas/core/scheduler.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>

namespace atlas::asgi {
namespace {

using Line = fmt::memory_buffer;

void append(Line& line, std::string_view text) { line.append(text.data(), text.data() + text.size()); }

std::tm calendar(std::int64_t unix_seconds) { return fmt::gmtime(static_cast<std::time_t>(unix_seconds)); }

// Quotes, backslashes, controls and bytes above 126 as \xhh: also what Apache does.
void append_escaped(Line& line, std::string_view text, unsigned char first_plain = ' ') {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < first_plain || byte > 0x7e || c == '"' || c == '\\') {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else {
      line.push_back(c);
    }
  }
}

// The same for JSON, where every byte stands for the code point of its number.
void append_json_string(Line& line, std::string_view text) {
  line.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", byte);
    } else {
      if (c == '"' || c == '\\') line.push_back('\\');
      line.push_back(c);
    }
  }
  line.push_back('"');
}

void append_quoted_or_dash(Line& line, std::optional<std::string_view> text) {
  append(line, " \"");
  if (text && !text->empty()) {
    append_escaped(line, *text);
  } else {
    line.push_back('-');
  }
  line.push_back('"');
}

std::string_view client_of(const AccessRecord& record) {
  const bool noted = record.notes != nullptr && !record.notes->client().empty();
  return noted ? std::string_view(record.notes->client()) : record.client_host;
}

std::string_view user_of(const AccessRecord& record) {
  return record.notes == nullptr ? std::string_view() : record.notes->user();
}

/// A word of the common format, which has no quotes around it.
void append_word_or_dash(Line& line, std::string_view text) {
  if (text.empty()) return line.push_back('-');
  append_escaped(line, text, '!');
}

void append_common(Line& line, const AccessRecord& record, std::int64_t unix_seconds) {
  append_word_or_dash(line, client_of(record));
  append(line, " - ");
  append_word_or_dash(line, user_of(record));
  fmt::format_to(std::back_inserter(line), " [{:%d/%b/%Y:%H:%M:%S} +0000]", calendar(unix_seconds));
  append_quoted_or_dash(line, record.request_line);
  fmt::format_to(std::back_inserter(line), " {:03} {}", record.status, record.body_bytes);
  append_quoted_or_dash(line, record.headers.find("referer"));
  append_quoted_or_dash(line, record.headers.find("user-agent"));
  if (record.cost != nullptr) {
    append(line, " \"");
    append_cost_fields(line, *record.cost);
    line.push_back('"');
  }
  if (record.notes == nullptr) return;
  for (const auto& [name, value] : record.notes->fields()) {
    append(line, " \"");
    append_escaped(line, name);
    line.push_back('=');
    append_escaped(line, value);
    line.push_back('"');
  }
}

void append_fields_object(Line& line, const AccessNotes& notes) {
  char separator = '{';
  append(line, ",\"fields\":");
  for (const auto& [name, value] : notes.fields()) {
    line.push_back(std::exchange(separator, ','));
    append_json_string(line, name);
    line.push_back(':');
    append_json_string(line, value);
  }
  line.push_back('}');
}

void append_json(Line& line, const AccessRecord& record, std::int64_t unix_seconds) {
  fmt::format_to(std::back_inserter(line),
                 "{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}Z\",\"client\":", calendar(unix_seconds));
  append_json_string(line, client_of(record));
  if (const auto user = user_of(record); !user.empty()) {
    append(line, ",\"user\":");
    append_json_string(line, user);
  }
  append(line, ",\"request\":");
  append_json_string(line, record.request_line);
  fmt::format_to(std::back_inserter(line), ",\"status\":{},\"body_bytes\":{},\"duration_us\":{}",
                 record.status, record.body_bytes,
                 std::chrono::duration_cast<std::chrono::microseconds>(record.duration).count());
  append(line, ",\"referer\":");
  append_json_string(line, record.headers.find("referer").value_or(""));
  append(line, ",\"user_agent\":");
  append_json_string(line, record.headers.find("user-agent").value_or(""));
  if (record.cost != nullptr) {
    append(line, ",\"cost\":");
    append_cost_object(line, *record.cost);
  }
  if (record.notes != nullptr && !record.notes->fields().empty()) append_fields_object(line, *record.notes);
  line.push_back('}');
}

void append_line(Line& line, AccessLogFormat format, const AccessRecord& record, std::int64_t unix_seconds) {
  if (format == AccessLogFormat::json) {
    append_json(line, record, unix_seconds);
  } else {
    append_common(line, record, unix_seconds);
  }
  line.push_back('\n');
}

}  // namespace

std::string format_access_line(AccessLogFormat format, const AccessRecord& record,
                               std::int64_t unix_seconds) {
  Line line;
  append_line(line, format, record, unix_seconds);
  return fmt::to_string(line);
}

void write_access_log(AccessLogFormat format, const AccessRecord& record) {
  Line line;
  append_line(line, format, record, unix_seconds_now());
  auto* sink = Scheduler::current()->log_sink();
  if (sink != nullptr) return sink->write_line({line.data(), line.size()});
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace atlas::asgi
