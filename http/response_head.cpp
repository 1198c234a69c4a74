#include <atlas/http/response_head.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/http/status.hpp>
#include <atlas/http/text_writer.hpp>

namespace atlas::http {
namespace {

// What a field is to the server. Most names are none of these, and their length says so.
enum class Role : std::uint8_t {
  plain,
  content_length,
  connection,
  transfer_encoding,
  date,
  server,
  upgrade
};

Role role_of(std::string_view name) noexcept {
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
  text_.clear();
  wishes_ = {};
  date_given_ = server_given_ = upgrade_given_ = false;
  hold_status_line(status);
  for (const Header& field : fields) {
    if (const FaultKind kind = take(field)) {
      text_.clear();
      return HeaderFault{*kind, static_cast<std::size_t>(&field - fields.data())};
    }
  }
  return std::nullopt;
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

// The fields that frame are the server's to write: of them only the wish is kept.
ResponseHead::FaultKind ResponseHead::take(const Header& field) {
  if (const FaultKind kind = find_fault(field)) return kind;
  switch (role_of(field.name)) {
    case Role::content_length: return take_content_length(field.value);
    case Role::connection: return take_connection(field.value), std::nullopt;
    case Role::transfer_encoding: return std::nullopt;
    case Role::date: date_given_ = true; break;
    case Role::server: server_given_ = true; break;
    case Role::upgrade: upgrade_given_ = true; break;
    case Role::plain: break;
  }
  hold_field(field);
  return std::nullopt;
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
