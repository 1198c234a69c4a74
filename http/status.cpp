#include <atlas/http/status.hpp>

#include <atlas/core/assert.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace atlas::http {
namespace {

constexpr int status_min = 100;
constexpr int status_max = 599;

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

}  // namespace

// A switch, which the compiler turns into a table: longer than a screen's half, but nothing else than the
// registry.
std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 102: return "Processing";
    case 103: return "Early Hints";
    case 104: return "Upload Resumption Supported";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 208: return "Already Reported";
    case 226: return "IM Used";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 305: return "Use Proxy";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 506: return "Variant Also Negotiates";
    case 507: return "Insufficient Storage";
    case 508: return "Loop Detected";
    case 510: return "Not Extended";
    case 511: return "Network Authentication Required";
    default: return {};
  }
}

std::string_view status_line(int status) {
  static const StatusLines lines;
  ATLAS_ASSERT(status >= status_min && status <= status_max, "response status is not in 100 to 599");
  return lines.of(status);
}

}  // namespace atlas::http
