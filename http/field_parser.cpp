#include <atlas/http/field_parser.hpp>

#include <atlas/core/assert.hpp>

#include <llhttp.h>

#include <new>

namespace atlas::http {
namespace {

constexpr std::size_t limit_max = std::size_t{1} << 30;  // extents are counted in 32 bits

std::size_t skip_ows(std::span<const char> text, std::size_t at) noexcept {
  while (is_ows(text[at])) ++at;
  return at;
}

}  // namespace

// What llhttp calls. Whatever it shows is turned into offsets at once.
struct LlhttpCallbacks {
  static FieldParser& parser(llhttp_t* state) { return *static_cast<FieldParser*>(state->data); }

  static std::size_t offset(const FieldParser& self, const char* at) {
    return self.section_bytes_ + static_cast<std::size_t>(at - self.piece_begin_);
  }

  // llhttp reads the values of framing fields by rules of its own, partly laxer and partly stricter than the
  // RFC's. Here every field is a plain one to it; what they mean is read_header_fields()' business.
  static int on_name(llhttp_t* state, const char* at, std::size_t length) {
    constexpr std::uint8_t plain_field = 0;
    state->header_state = plain_field;
    FieldParser& self = parser(state);
    return self.on_name(offset(self, at), length) ? HPE_OK : HPE_USER;
  }

  static int on_value(llhttp_t* state, const char* at, std::size_t length) {
    FieldParser& self = parser(state);
    return self.on_value(offset(self, at), length) ? HPE_OK : HPE_USER;
  }

  static int on_section_complete(llhttp_t*) { return HPE_PAUSED; }

  static llhttp_settings_t make_settings() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_section_complete;
    return settings;
  }

  // llhttp right behind a request line, where a field section begins. A copy of that state starts there.
  static llhttp_t make_behind_request_line() {
    static const llhttp_settings_t settings = make_settings();
    constexpr std::string_view request_line = "GET / HTTP/1.1\r\n";
    llhttp_t state;
    llhttp_init(&state, HTTP_REQUEST, &settings);
    const llhttp_errno_t code = llhttp_execute(&state, request_line.data(), request_line.size());
    ATLAS_ASSERT(code == HPE_OK, "llhttp refuses a plain request line");
    return state;
  }
};

FieldParser::FieldParser(const Limits& limits) : limits_(limits) {
  static_assert(sizeof(llhttp_) >= sizeof(llhttp_t) && alignof(llhttp_t) <= 8,
                "llhttp_t has outgrown its place");
  ATLAS_ASSERT(limits.header_bytes_max <= limit_max, "Limits::header_bytes_max is above 1 GiB");
  start();
}

void FieldParser::start() {
  static const llhttp_t behind_request_line = LlhttpCallbacks::make_behind_request_line();
  llhttp_t* state = new (llhttp_) llhttp_t(behind_request_line);
  state->data = this;
  extents_.clear();
  fields_.clear();
  error_ = {};
  section_bytes_ = 0;
}

FieldParser::Step FieldParser::parse(std::string_view piece) {
  if (error_) return {Event::error, 0};
  const Step step = feed(piece.substr(0, limits_.header_bytes_max - section_bytes_));
  section_bytes_ += step.consumed;
  if (step.event == Event::need_more && section_bytes_ == limits_.header_bytes_max) {
    return refuse_step(431, "header section is too long");
  }
  return step;
}

FieldParser::Step FieldParser::feed(std::string_view piece) {
  if (piece.empty()) return {Event::need_more, 0};
  llhttp_t* state = std::launder(reinterpret_cast<llhttp_t*>(llhttp_));
  piece_begin_ = piece.data();
  switch (llhttp_execute(state, piece.data(), piece.size())) {
    case HPE_OK: return {Event::need_more, piece.size()};
    case HPE_PAUSED:  // by on_section_complete
      return {Event::complete, static_cast<std::size_t>(llhttp_get_error_pos(state) - piece.data())};
    case HPE_USER:  // by on_name or on_value, who said why
      return {Event::error, 0};
    default: return refuse_step(400, "malformed header line");
  }
}

// A name may come in several parts. No two names touch, so the place tells whether a part begins a new one.
bool FieldParser::on_name(std::size_t begin, std::size_t length) {
  const auto offset = static_cast<std::uint32_t>(begin);
  const auto end = static_cast<std::uint32_t>(begin + length);
  if (!extents_.empty() && extents_.back().name_end == offset) {
    extents_.back().name_end = end;
    return true;
  }
  if (extents_.size() == limits_.header_count_max) return refuse(431, "too many header lines");
  extents_.push_back({.name_begin = offset, .name_end = end, .value_begin = 0, .value_end = 0});
  return true;
}

// A value may come in several parts as well. Only those of a folded one do not touch.
bool FieldParser::on_value(std::size_t begin, std::size_t length) {
  if (length == 0) return true;
  Extent& extent = extents_.back();
  const auto offset = static_cast<std::uint32_t>(begin);
  if (extent.value_begin == 0) extent.value_begin = extent.value_end = offset;
  if (extent.value_end != offset) return refuse(400, "folded header line");
  extent.value_end += static_cast<std::uint32_t>(length);
  return true;
}

bool FieldParser::finish(std::span<char> section) {
  ATLAS_ASSERT(section.size() == section_bytes_, "FieldParser: this is not the section that was parsed");
  std::size_t line_begin = 0;
  for (const Extent& extent : extents_) {
    line_begin = resolve(extent, line_begin, section);
    if (error_) return false;
  }
  const std::string_view last_line(section.data() + line_begin, section.size() - line_begin);
  return last_line == "\r\n" || refuse(400, "header section does not end in CRLF");
}

// llhttp hides what lies between names and values. So each line is held against `name ":" OWS value OWS
// CRLF`, and must begin where the one before it ended. Answers where the next one begins. No scan leaves the
// section: it ends in a line feed, as llhttp saw.
std::size_t FieldParser::resolve(const Extent& extent, std::size_t line_begin, std::span<char> section) {
  const std::span<char> name = section.subspan(extent.name_begin, extent.name_end - extent.name_begin);
  const std::string_view name_view(name.data(), name.size());
  const std::size_t colon = extent.name_end;
  if (extent.name_begin != line_begin || section[colon] != ':' || !is_token(name_view)) {
    return refuse(400, "malformed header name"), 0;
  }
  make_lower(name);
  const std::size_t value_begin = skip_ows(section, colon + 1);
  const bool is_empty = extent.value_begin == 0;
  if (!is_empty && extent.value_begin != value_begin) return refuse(400, "folded header line"), 0;

  const std::size_t value_end = is_empty ? value_begin : extent.value_end;
  const std::size_t line_end = skip_ows(section, value_end);
  if (section[line_end] != '\r' || section[line_end + 1] != '\n') {
    return refuse(400, "header line does not end in CRLF"), 0;
  }
  const std::string_view value(&section[value_begin], value_end - value_begin);
  fields_.push_back({.name = name_view, .value = trim_ows(value)});
  return line_end + 2;
}

FieldParser::Step FieldParser::refuse_step(int status, std::string_view reason) {
  refuse(status, reason);
  return {Event::error, 0};
}

bool FieldParser::refuse(int status, std::string_view reason) {
  error_ = {status, reason};
  return false;
}

}  // namespace atlas::http
