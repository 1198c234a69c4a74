#include <atlas/http/request_head.hpp>

#include <atlas/http/characters.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace atlas::http {
namespace {

constexpr bool is_hex_digit(char c) noexcept { return hex_value(c) >= 0; }

bool is_escape(std::string_view text) noexcept {
  return text.size() >= 3 && text[0] == '%' && is_hex_digit(text[1]) && is_hex_digit(text[2]);
}

[[gnu::cold]] bool is_escaped_host_name(std::string_view text) noexcept {
  while (!text.empty()) {
    const bool plain = is_in(CharacterClass::host, text.front());
    if (!plain && !is_escape(text)) return false;
    text.remove_prefix(plain ? 1 : 3);
  }
  return true;
}

bool is_host_name(std::string_view text) noexcept {
  return !text.empty() && (are_in(CharacterClass::host, text) || is_escaped_host_name(text));
}

// "[::1]". Nobody uses the literals of later versions, which RFC 3986 leaves room for.
[[gnu::noinline]] bool is_ip_literal(std::string_view text) noexcept {
  constexpr std::size_t bytes_max = INET6_ADDRSTRLEN + 1;  // with the brackets, without a final zero
  if (text.size() < 4 || text.size() > bytes_max || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  if (text.find('\0') != std::string_view::npos) return false;
  char address[INET6_ADDRSTRLEN] = {};
  text.copy(address, text.size());
  in6_addr parsed{};
  return ::inet_pton(AF_INET6, address, &parsed) == 1;
}

// 65535 at most.
bool is_port(std::string_view digits) noexcept {
  constexpr std::string_view largest = "65535";
  return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
}

// The request line

// Behind the last space, which nearly always stands in front of eight characters.
std::size_t find_version(std::string_view line) noexcept {
  constexpr std::string_view usual = " HTTP/1.1";
  return line.ends_with(usual) ? line.size() - usual.size() + 1 : line.rfind(' ') + 1;
}

ParseError read_version(RequestHead& head, std::string_view text) {
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return {400, "malformed HTTP version in the request line"};
  if (text[5] != '1') return {505, "HTTP version is not supported"};
  head.version = text[7] == '0' ? http_1_0 : http_1_1;
  return {};
}

// Up to the first space; the whole line if it has none.
void read_method(RequestHead& head) noexcept {
  constexpr std::string_view usual = "GET ";
  const std::string_view line = head.request_line;
  head.method = line.substr(0, line.starts_with(usual) ? usual.size() - 1 : line.find(' '));
  head.method_id = method_from(head.method);
}

ParseError check_method(const RequestHead& head) {
  if (head.method_id == Method::unknown) return {501, "method is unknown"};
  if (head.method_id == Method::connect) return {501, "CONNECT is not supported"};
  if (head.method_id == Method::pri) return {501, "PRI is for HTTP/2 only"};  // RFC 9113 §11.6
  return {};
}

void split_path(RequestHead& head, std::string_view path_and_query) {
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (mark != std::string_view::npos) head.query = path_and_query.substr(mark + 1);
}

// "http://host:port/path?query" (RFC 9112 §3.2.2). Proxies are sent those: out of line, as few others are.
[[gnu::noinline]] ParseError read_absolute_target(RequestHead& head) {
  const std::size_t colon = head.target.find(':');
  const std::string_view scheme = head.target.substr(0, colon);
  const std::string_view rest = head.target.substr(std::min(head.target.size(), scheme.size() + 1));
  const bool known_scheme = iequals(scheme, "http") || iequals(scheme, "https");
  if (!known_scheme || !rest.starts_with("//")) return {400, "malformed request target"};

  const std::string_view hierarchy = rest.substr(2);
  head.host = hierarchy.substr(0, hierarchy.find_first_of("/?"));
  if (!is_host(head.host)) return {400, "invalid host in the request target"};
  split_path(head, hierarchy.substr(head.host.size()));
  if (head.path.empty()) head.path = head.method_id == Method::options && head.query.empty() ? "*" : "/";
  return {};
}

ParseError read_target(RequestHead& head) {
  if (head.target.starts_with('/') && are_in(CharacterClass::path, head.target)) {
    return head.path = head.target, ParseError{};  // most targets: no query, and one look at each character
  }
  const bool valid = are_in(CharacterClass::target, head.target);
  if (head.target.empty() || !valid) return {400, "invalid character in the request target"};
  if (head.target.front() == '/') return split_path(head, head.target), ParseError{};
  if (head.target != "*") return read_absolute_target(head);
  if (head.method_id != Method::options) return {400, "target * is for OPTIONS only"};
  head.path = head.target;
  return {};
}

// The header fields

// `authority` without an empty port, or `port` (with its colon).
std::string_view without_port(std::string_view authority, std::string_view port) noexcept {
  if (authority.ends_with(':')) authority.remove_suffix(1);
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

// Gathers what counts while the fields go by once; concludes when all are seen.
class FieldReader {
 public:
  explicit FieldReader(RequestHead& head) : head_(head) {}

  void see(const Header& field) {
    switch (field.name.size()) {  // most fields are none of these, and their length says so
      case 2: return note_if(field, "te", te_);
      case 4: return keep_if(field, "host", host_);
      case 6: return note_if(field, "expect", expect_);
      case 7: return note_if(field, "upgrade", upgrade_);
      case 10: return note_if(field, "connection", connection_);
      case 14: return keep_if(field, "content-length", content_length_);
      case 17: return note_if(field, "transfer-encoding", transfer_encoding_);
      default: return;
    }
  }

  [[nodiscard]] ParseError conclude() {
    if (const ParseError error = read_host()) return error;
    if (const ParseError error = read_framing()) return error;
    read_connection();
    return read_expectations();
  }

 private:
  struct Seen {
    std::size_t count = 0;
    std::string_view first_value;
  };

  // Lines of these may be many; their values are looked up when they are wanted.
  static void note_if(const Header& field, std::string_view name, bool& noted) {
    noted = noted || field.name == name;
  }

  // There may be one line of these.
  static void keep_if(const Header& field, std::string_view name, Seen& seen) {
    if (field.name != name) return;
    if (seen.count++ == 0) seen.first_value = field.value;
  }

  ParseError read_host() {
    if (host_.count > 1) return {400, "Host is there more than once"};
    if (host_.count == 0) return head_.version < http_1_1 ? ParseError{} : ParseError{400, "Host is missing"};
    if (!is_host(host_.first_value)) return {400, "Host is invalid"};
    if (head_.host.empty()) {
      head_.host = host_.first_value;
    } else if (!is_same_authority(host_.first_value)) {
      return {400, "Host and the request target disagree"};
    }
    return {};
  }

  // Whether a Host field says what an absolute target does (RFC 9112 §3.2.2). The RFC has the target go
  // first; a reader that does not know that would take another site.
  [[nodiscard, gnu::noinline]] bool is_same_authority(std::string_view host) const {
    const bool is_https = iequals(head_.target.substr(0, 6), "https:");
    const std::string_view port = is_https ? ":443" : ":80";
    return iequals(without_port(host, port), without_port(head_.host, port));
  }

  ParseError read_framing() {
    if (transfer_encoding_) return read_transfer_encoding();
    if (content_length_.count > 0) return read_content_length();
    return {};
  }

  ParseError read_content_length() {
    if (content_length_.count > 1) return {400, "Content-Length is there more than once"};
    const std::string_view digits = content_length_.first_value;
    if (digits.empty() || !std::ranges::all_of(digits, is_digit))
      return {400, "Content-Length is not a number"};
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), head_.content_length);
    if (parsed.ec != std::errc()) return {400, "Content-Length is too large a number"};
    head_.body_framing = BodyFraming::content_length;
    return {};
  }

  // RFC 9112 §6.1 and §6.3. Only `chunked` is implemented, and it must be the last coding. Out of line, since
  // most requests have no body.
  [[gnu::noinline]] ParseError read_transfer_encoding() {
    if (head_.version < http_1_1) return {400, "Transfer-Encoding in HTTP/1.0"};
    if (content_length_.count > 0) return {400, "both Transfer-Encoding and Content-Length"};
    Codings codings;
    head_.headers.for_each("transfer-encoding", [&codings](std::string_view value) {
      for_each_list_element(value, [&codings](std::string_view coding) { codings.see(coding); });
    });
    if (codings.malformed || (codings.chunked > 0 && !codings.chunked_last) || codings.chunked > 1) {
      return {400, "Transfer-Encoding is malformed"};
    }
    if (codings.others > 0) return {501, "transfer coding is not supported"};
    head_.body_framing = BodyFraming::chunked;
    return {};
  }

  struct Codings {
    std::size_t chunked = 0;
    std::size_t others = 0;
    bool chunked_last = false;
    bool malformed = false;

    void see(std::string_view coding) {
      chunked_last = iequals(coding, "chunked");
      ++(chunked_last ? chunked : others);
      const std::string_view name = trim_ows(coding.substr(0, coding.find(';')));  // gzip;level=9
      malformed = malformed || !is_token(name) || (iequals(name, "chunked") && !chunked_last);
    }
  };

  void read_connection() {
    const bool is_1_1 = head_.version >= http_1_1;
    head_.keep_alive = is_1_1;
    if (!connection_) return;
    const HeadersView& headers = head_.headers;
    const bool close = headers.has_token("connection", "close");
    head_.keep_alive = !close && (is_1_1 || headers.has_token("connection", "keep-alive"));
    head_.upgrade = is_1_1 && upgrade_ && headers.has_token("connection", "upgrade");
  }

  // RFC 9110 §10.1.1. What a 1.0 client expects is not looked at.
  ParseError read_expectations() {
    const bool body_announced = head_.body_framing == BodyFraming::chunked || head_.content_length > 0;
    const bool expects = expect_ && head_.version >= http_1_1;
    if (expects && expects_anything_else()) return {417, "expectation is not supported"};
    head_.expect_continue = expects && body_announced && head_.headers.has_token("expect", "100-continue");
    head_.accepts_trailers = te_ && head_.headers.has_token("te", "trailers");
    return {};
  }

  [[nodiscard, gnu::noinline]] bool expects_anything_else() const {
    bool other = false;
    head_.headers.for_each("expect", [&other](std::string_view value) {
      for_each_list_element(value, [&other](std::string_view element) {
        other = other || !(element.empty() || iequals(element, "100-continue"));
      });
    });
    return other;
  }

  RequestHead& head_;
  Seen host_, content_length_;
  bool te_ = false, expect_ = false, upgrade_ = false, connection_ = false, transfer_encoding_ = false;
};

}  // namespace

ParseError read_request_line(RequestHead& head) {
  const std::string_view line = head.request_line;
  read_method(head);
  if (head.method_id == Method::unknown && !is_token(head.method)) return {400, "method is not a token"};
  const std::size_t target_begin = head.method.size() + 1;
  const std::size_t version_begin = find_version(line);
  if (version_begin <= target_begin) return {400, "request line has no target or no version"};
  if (const ParseError error = read_version(head, line.substr(version_begin))) return error;
  if (const ParseError error = check_method(head)) return error;
  head.target = line.substr(target_begin, version_begin - 1 - target_begin);
  return read_target(head);
}

ParseError read_header_fields(RequestHead& head) {
  FieldReader reader(head);
  for (const Header& field : head.headers) reader.see(field);
  return reader.conclude();
}

// The port is looked for from the end: most hosts have none, and their last character says so.
bool is_host(std::string_view text) noexcept {
  std::size_t digits_begin = text.size();
  while (digits_begin > 0 && is_digit(text[digits_begin - 1])) --digits_begin;
  if (digits_begin > 0 && text[digits_begin - 1] == ':') {
    if (!is_port(text.substr(digits_begin))) return false;
    text = text.substr(0, digits_begin - 1);
  }
  return text.starts_with('[') ? is_ip_literal(text) : is_host_name(text);
}

}  // namespace atlas::http
