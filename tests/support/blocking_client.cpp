#include "support/blocking_client.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace atlas::testing {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int connected(const sockaddr* address, socklen_t bytes) {
  const int descriptor = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(descriptor, address, bytes) != 0) {
    ::close(descriptor);
    fail("connect");
  }
  return descriptor;
}

int connected_to(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connected(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int connected_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return connected(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

BlockingClient::BlockingClient(std::uint16_t port) : descriptor_(connected_to(port)) {}
BlockingClient::BlockingClient(const std::string& path) : descriptor_(connected_to(path)) {}
BlockingClient::~BlockingClient() { ::close(descriptor_); }

void BlockingClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void BlockingClient::send_request(std::string_view method, std::string_view target, std::string_view headers,
                                  std::string_view body) const {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nhost: localhost\r\n").append(headers);
  if (!body.empty()) text.append("content-length: ").append(std::to_string(body.size())).append("\r\n");
  send(text.append("\r\n").append(body));
}

Response BlockingClient::request(std::string_view method, std::string_view target, std::string_view headers,
                                 std::string_view body) {
  send_request(method, target, headers, body);
  return receive(method == "HEAD");
}

Response BlockingClient::receive(bool to_head) {
  Response response;
  take_head(response);
  if (to_head || response.status == 0) {
    response.complete = response.status != 0;
  } else if (response.headers["transfer-encoding"] == "chunked") {
    response.complete = take_chunks(response.body);
  } else {
    response.complete = take(number(response.headers["content-length"], 10), response.body);
  }
  return response;
}

std::string BlockingClient::receive_some() {
  if (unread_.empty()) static_cast<void>(read_more());
  return std::exchange(unread_, {});
}

bool BlockingClient::at_end() { return unread_.empty() && !read_more(); }

bool BlockingClient::read_more() {
  std::array<char, 65536> buffer;
  const auto bytes = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (bytes < 0 && errno != ECONNRESET) fail("recv");
  if (bytes <= 0) return false;
  unread_.append(buffer.data(), static_cast<std::size_t>(bytes));
  return true;
}

std::optional<std::string> BlockingClient::take_line() {
  auto end = unread_.find("\r\n");
  while (end == std::string::npos) {
    if (!read_more()) return std::nullopt;
    end = unread_.find("\r\n");
  }
  auto line = unread_.substr(0, end);
  unread_.erase(0, end + 2);
  return line;
}

void BlockingClient::take_head(Response& response) {
  const auto status_line = take_line();
  if (!status_line || status_line->size() < 12) return;
  for (auto line = take_line(); line && !line->empty(); line = take_line()) {
    const auto colon = line->find(':');
    auto name = line->substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    response.headers[name] = line->substr(std::min(colon + 2, line->size()));
  }
  response.status = static_cast<int>(number(status_line->substr(9, 3), 10));
}

bool BlockingClient::take(std::size_t bytes, std::string& into) {
  while (unread_.size() < bytes) {
    if (!read_more()) break;
  }
  const auto taken = std::min(bytes, unread_.size());
  into.append(unread_, 0, taken);
  unread_.erase(0, taken);
  return taken == bytes;
}

bool BlockingClient::take_chunks(std::string& into) {
  for (auto line = take_line(); line; line = take_line()) {
    const auto size = number(*line, 16);
    if (size > 0 && !take(size, into)) return false;
    if (!take_line()) return false;
    if (size == 0) return true;
  }
  return false;
}

}  // namespace atlas::testing
