#include <atlas/http/request_head.hpp>

#include <atlas/http/characters.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace atlas::http {
namespace {

// What a target may consist of: visible ASCII without `#`. Characters that RFC 3986 wants escaped, such as
// `|`, are let through, since browsers send them.
constexpr CharacterSet target_characters = CharacterSet().add_range('!', '~').remove('#');

// unreserved and sub-delims of RFC 3986, but for the comma, with which a list of hosts passes for one host.
constexpr CharacterSet host_characters = CharacterSet().add_letters_and_digits().add("-._~!$&'()*+;=");

constexpr bool is_hex_digit(char c) noexcept { return hex_value(c) >= 0; }

bool is_port(std::string_view text) noexcept {
  return text.size() <= 5 && std::ranges::all_of(text, is_digit) && (text.size() < 5 || text <= "65535");
}

bool is_ip_literal(std::string_view text) noexcept {  // without its brackets
  return text.size() >= 2 &&
         std::ranges::all_of(text, [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; });
}

bool is_host_name(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (host_characters.has(text[i])) continue;
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && is_hex_digit(text[i + 1]) && is_hex_digit(text[i + 2]);
    if (!escape) return false;
    i += 2;
  }
  return true;
}

// The request line

struct VersionResult {
  Version version;
  ParseError error;
};

VersionResult read_version(std::string_view text) {
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return {.error = {400, "malformed HTTP version in the request line"}};
  if (text[5] != '1') return {.error = {505, "HTTP version is not supported"}};
  return {.version = text[7] == '0' ? http_1_0 : http_1_1};
}

ParseError read_method(RequestHead& head) {
  head.method_id = method_from(head.method);
  if (head.method_id == Method::unknown) return {501, "method is unknown"};
  if (head.method_id == Method::connect) return {501, "CONNECT is not supported"};
  return {};
}

void split_path(RequestHead& head, std::string_view path_and_query) {
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (mark != std::string_view::npos) head.query = path_and_query.substr(mark + 1);
}

// "http://host:port/path?query" (RFC 9112 §3.2.2).
ParseError read_absolute_target(RequestHead& head) {
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
  const bool valid = target_characters.has_all_of(head.target);
  if (head.target.empty() || !valid) return {400, "invalid character in the request target"};
  if (head.target.front() == '/') return split_path(head, head.target), ParseError{};
  if (head.target != "*") return read_absolute_target(head);
  if (head.method_id != Method::options) return {400, "target * is for OPTIONS only"};
  head.path = head.target;
  return {};
}

// The header fields

// Gathers what counts while the fields go by once; concludes when all are seen.
class FieldReader {
 public:
  explicit FieldReader(RequestHead& head) : head_(head) {}

  void see(const Header& field) {
    switch (field.name.size()) {  // most fields are none of these, and their length says so
      case 2: return see_if(field, "te", te_);
      case 4: return see_if(field, "host", host_);
      case 6: return see_if(field, "expect", expect_);
      case 7: return see_if(field, "upgrade", upgrade_);
      case 10: return see_if(field, "connection", connection_);
      case 14: return see_if(field, "content-length", content_length_);
      case 17: return see_if(field, "transfer-encoding", transfer_encoding_);
      default: return;
    }
  }

  [[nodiscard]] ParseError conclude() {
    if (const ParseError error = read_host()) return error;
    if (const ParseError error = read_framing()) return error;
    read_connection();
    read_expectations();
    return {};
  }

 private:
  struct Seen {
    std::size_t count = 0;
    std::string_view first_value;
  };

  static void see_if(const Header& field, std::string_view name, Seen& seen) {
    if (field.name != name) return;
    if (seen.count++ == 0) seen.first_value = field.value;
  }

  ParseError read_host() {
    if (host_.count > 1) return {400, "Host is there more than once"};
    if (host_.count == 0) return head_.version < http_1_1 ? ParseError{} : ParseError{400, "Host is missing"};
    if (!is_host(host_.first_value)) return {400, "Host is invalid"};
    if (head_.host.empty()) head_.host = host_.first_value;  // an absolute target has precedence
    return {};
  }

  ParseError read_framing() {
    if (transfer_encoding_.count > 0) return read_transfer_encoding();
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

  // RFC 9112 §6.1 and §6.3. Only `chunked` is implemented, and it must be the last coding.
  ParseError read_transfer_encoding() {
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
    if (connection_.count == 0) return;
    const HeadersView& headers = head_.headers;
    const bool close = headers.has_token("connection", "close");
    head_.keep_alive = !close && (is_1_1 || headers.has_token("connection", "keep-alive"));
    head_.upgrade = is_1_1 && upgrade_.count > 0 && headers.has_token("connection", "upgrade");
  }

  void read_expectations() {
    const bool body_announced = head_.body_framing == BodyFraming::chunked || head_.content_length > 0;
    head_.expect_continue = expect_.count > 0 && body_announced && head_.version >= http_1_1 &&
                            head_.headers.has_token("expect", "100-continue");
    head_.accepts_trailers = te_.count > 0 && head_.headers.has_token("te", "trailers");
  }

  RequestHead& head_;
  Seen te_, host_, expect_, upgrade_, connection_, content_length_, transfer_encoding_;
};

}  // namespace

RequestLineResult read_request_line(std::string_view line) {
  RequestLineResult result{.head = {.request_line = line}};
  RequestHead& head = result.head;
  const auto refuse = [&result](ParseError error) { return result.error = error, result; };

  head.method = line.substr(0, line.find(' '));
  if (!is_token(head.method)) return refuse({400, "method is not a token"});
  const std::size_t target_begin = head.method.size() + 1;
  const std::size_t version_begin = line.rfind(' ') + 1;
  if (version_begin <= target_begin) return refuse({400, "request line has no target or no version"});
  const VersionResult version = read_version(line.substr(version_begin));
  if (version.error) return refuse(version.error);
  head.version = version.version;
  if (const ParseError error = read_method(head)) return refuse(error);
  head.target = line.substr(target_begin, version_begin - 1 - target_begin);
  if (const ParseError error = read_target(head)) return refuse(error);
  return result;
}

ParseError read_header_fields(RequestHead& head) {
  FieldReader reader(head);
  for (const Header& field : head.headers) reader.see(field);
  return reader.conclude();
}

bool is_host(std::string_view text) noexcept {
  std::string_view name = text.substr(0, text.find(':'));
  std::size_t name_bytes = name.size();
  bool name_valid = is_host_name(name);
  if (text.starts_with('[')) {
    const std::size_t bracket = std::min(text.find(']'), text.size() - 1);
    name_bytes = bracket + 1;
    name_valid = text[bracket] == ']' && is_ip_literal(text.substr(1, bracket - 1));
  }
  const std::string_view port = text.substr(name_bytes);
  return name_valid && (port.empty() || (port.front() == ':' && is_port(port.substr(1))));
}

}  // namespace atlas::http
