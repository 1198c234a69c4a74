// What the hand-written servers of the benchmark answer: the same routes, heads and bodies as Atlas, so that
// the bytes on the wire compare. Knows nothing of sockets or parsers.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

namespace bench {

inline constexpr std::string_view plaintext_body = "Hello, World!";
inline constexpr std::string_view json_body = R"({"message":"Hello, World!"})";

enum class Route { plaintext, json, echo, unknown };

inline Route route_of(std::string_view method, std::string_view path) {
  if (method == "GET" && path == "/plaintext") return Route::plaintext;
  if (method == "GET" && path == "/json") return Route::json;
  if (method == "POST" && path == "/echo") return Route::echo;
  return Route::unknown;
}

// The current time as the field Date has it (RFC 9110 section 5.6.7). The servers ask once, at their start.
inline std::string http_date() {
  char text[sizeof "Sun, 06 Nov 1994 08:49:37 GMT"];
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return text;
}

// The answers to one kind of connection (kept or closed after the answer), ready to be sent.
class Answers {
 public:
  explicit Answers(bool keep_alive) {
    common_ = "date: " + http_date() + "\r\nserver: bench\r\n" + (keep_alive ? "" : "connection: close\r\n");
    plaintext = answer("200 OK", "text/plain", plaintext_body);
    json = answer("200 OK", "application/json", json_body);
    not_found = answer("404 Not Found", "text/plain", "");
    echo_head_ = head("200 OK", "application/octet-stream");
  }

  // The head of an echo, up to and including the empty line.
  void append_echo_head(std::string& output, std::uint64_t body_bytes) const {
    char digits[20];
    const char* const end = std::to_chars(digits, digits + sizeof digits, body_bytes).ptr;
    output.append(echo_head_).append(digits, static_cast<std::size_t>(end - digits)).append("\r\n\r\n");
  }

  std::string plaintext;
  std::string json;
  std::string not_found;

 private:
  [[nodiscard]] std::string head(std::string_view status, std::string_view type) const {
    std::string text = "HTTP/1.1 ";
    text.append(status).append("\r\n").append(common_).append("content-type: ").append(type);
    return text.append("\r\ncontent-length: ");
  }

  [[nodiscard]] std::string answer(std::string_view status, std::string_view type,
                                   std::string_view body) const {
    return head(status, type).append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  }

  std::string common_;
  std::string echo_head_;
};

[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

// The port that the only argument of a bench server names.
inline std::uint16_t port_from(int argc, char** argv) {
  const std::string_view text = argc == 2 ? argv[1] : "";
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc{} && end == text.data() + text.size() && port != 0) return port;
  std::fputs("usage: <server> PORT    (listens on 127.0.0.1)\n", stderr);
  std::exit(2);
}

}  // namespace bench
