#include <atlas/http/response_head.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/http/status.hpp>
#include <atlas/http/text_writer.hpp>

#include <algorithm>
#include <cstring>

namespace atlas::http {
namespace {

std::optional<std::uint64_t> parse_length(std::string_view digits) noexcept {
  constexpr std::size_t digits_max = 18;  // whatever they are, the number fits in 64 bits
  if (digits.empty() || digits.size() > digits_max) return std::nullopt;
  std::uint64_t length = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    length = 10 * length + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

void put_framing(TextWriter& writer, const ResponseFraming& framing, Version version) noexcept {
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

// The longest that framing fields and the empty line can be together.
constexpr std::size_t added_bytes_max = 160;

}  // namespace

std::optional<HeaderFault> ResponseHead::hold(int status, std::span<const Header> fields) {
  const std::size_t same_count = keep_same(status, fields);
  bool is_line = true;
  for (std::size_t index = same_count; index < fields.size(); ++index) {
    const std::size_t bytes_before = text_.size();
    if (const FaultKind kind = take(fields[index], is_line)) {
      status_ = 0;
      text_.clear();
      return HeaderFault{*kind, index};
    }
    is_line = is_line && text_.size() > bytes_before;
  }
  return std::nullopt;
}

// As far as they are those of the last response; how many fields.
std::size_t ResponseHead::keep_same(int status, std::span<const Header> fields) {
  wishes_ = {};
  date_given_ = server_given_ = upgrade_given_ = false;
  if (status != status_) {
    text_.clear();
    hold_status_line(status);
    status_ = status;
    fields_begin_ = text_.size();
    line_count_ = 0;
    return 0;
  }
  const std::size_t count_max = std::min(line_count_, fields.size());
  std::size_t begin = fields_begin_;
  std::size_t count = 0;
  for (; count < count_max && is_same(lines_[count], begin, fields[count]); ++count) {
    note(lines_[count].role);
    begin = lines_[count].end;
  }
  text_.truncate(begin);
  return line_count_ = count;
}

bool ResponseHead::is_same(const Line& line, std::size_t begin, const Header& field) const noexcept {
  if (field.name.size() != line.name_bytes || begin + line_bytes({&field, 1}) != line.end) return false;
  const char* name = text_.data() + begin;
  const char* value = name + line.name_bytes + 2;  // behind ": "
  return std::memcmp(name, field.name.data(), field.name.size()) == 0 &&
         (field.value.empty() || std::memcmp(value, field.value.data(), field.value.size()) == 0);
}

void ResponseHead::hold_status_line(int status) {
  constexpr std::string_view usual = "HTTP/1.1 200 OK\r\n";  // two moves
  TextWriter writer(text_, status_line_bytes_max);
  if (status == 200) {
    writer.put(usual);
  } else {
    writer.put(status_line(status));
  }
  writer.commit();
}

// Most names are none of these, and their length says so.
ResponseHead::Role ResponseHead::role_of(std::string_view name) noexcept {
  const auto if_named = [name](std::string_view known, Role role) {
    return iequals(name, known) ? role : Role::plain;
  };
  switch (name.size()) {
    case 4: return if_named("date", Role::date);
    case 6: return if_named("server", Role::server);
    case 7: return if_named("upgrade", Role::upgrade);
    case 10: return if_named("connection", Role::connection);
    case 14: return if_named("content-length", Role::content_length);
    case 17: return if_named("transfer-encoding", Role::transfer_encoding);
    default: return Role::plain;
  }
}

// The fields that frame are the server's to write: of them only the wish is kept.
ResponseHead::FaultKind ResponseHead::take(const Header& field, bool may_be_kept) {
  if (const FaultKind kind = find_fault(field)) return kind;
  const Role role = role_of(field.name);
  switch (role) {
    case Role::content_length: return take_content_length(field.value);
    case Role::connection: return take_connection(field.value), std::nullopt;
    case Role::transfer_encoding: return std::nullopt;
    default: break;
  }
  note(role);
  hold_field(field);
  if (may_be_kept && line_count_ < lines_.size()) {
    lines_[line_count_++] = {.name_bytes = static_cast<std::uint32_t>(field.name.size()),
                             .end = static_cast<std::uint32_t>(text_.size()),
                             .role = role};
  }
  return std::nullopt;
}

void ResponseHead::note(Role role) noexcept {
  date_given_ = date_given_ || role == Role::date;
  server_given_ = server_given_ || role == Role::server;
  upgrade_given_ = upgrade_given_ || role == Role::upgrade;
}

// To reserve for each field is cheaper than to measure all of them before.
void ResponseHead::hold_field(const Header& field) {
  TextWriter writer(text_, line_bytes({&field, 1}));
  writer.put(field);
  writer.commit();
}

ResponseHead::FaultKind ResponseHead::take_content_length(std::string_view value) {
  const std::optional<std::uint64_t> length = parse_length(value);
  if (!length) return HeaderFault::Kind::bad_content_length;
  if (wishes_.content_length) return HeaderFault::Kind::repeated_content_length;
  wishes_.content_length = length;
  return std::nullopt;
}

void ResponseHead::take_connection(std::string_view value) {
  wishes_.close = wishes_.close || list_has_token(value, "close");
}

void ResponseHead::append_to(ByteBuffer& out, const ResponseFraming& framing, Version version,
                             const ServerFields& server_fields) const {
  ATLAS_ASSERT(!text_.empty(), "ResponseHead: no head is held");
  TextWriter writer(out, text_.size() + server_fields.date_line.size() + server_fields.server_line.size() +
                             server_fields.timing_line.size() + added_bytes_max);
  writer.put(text_.view());
  put_framing(writer, framing, version);
  if (upgrade_given_) writer.put("connection: upgrade\r\n");  // RFC 9110 §7.8
  if (!date_given_) writer.put(server_fields.date_line);
  if (!server_given_) writer.put(server_fields.server_line);
  writer.put(server_fields.timing_line);
  writer.put("\r\n");
  writer.commit();
}

}  // namespace atlas::http
