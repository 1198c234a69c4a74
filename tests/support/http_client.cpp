#include "support/http_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <charconv>
#include <system_error>

namespace atlas::testing {
namespace {

constexpr timeval silence_max{.tv_sec = 20, .tv_usec = 0};

[[noreturn]] void fail(const char* what) {
  const bool timed_out = errno == EAGAIN;
  throw std::system_error(timed_out ? ETIMEDOUT : errno, std::generic_category(), what);
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view name = "\r\ncontent-length: ";
  const auto begin = head.find(name);
  std::size_t length = 0;
  if (begin != std::string_view::npos) {
    std::from_chars(head.data() + begin + name.size(), head.data() + head.size(), length);
  }
  return length;
}

}  // namespace

HttpClient::HttpClient(const SocketAddress& server) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  const auto bytes = static_cast<socklen_t>(server.to_native(address));
  fd_ = FileDescriptor(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd_) fail("socket");
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &silence_max, sizeof silence_max);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &silence_max, sizeof silence_max);
  if (::connect(fd_.get(), address, bytes) != 0) fail("connect");
}

void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool HttpClient::read_more() {
  std::array<char, 16 * 1024> bytes;
  const auto count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (count < 0) fail("recv");
  unread_.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string HttpClient::read_response() {
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) throw std::system_error(std::make_error_code(std::errc::connection_aborted), "recv");
  }
  end += 4;
  end += content_length(std::string_view(unread_).substr(0, end));
  while (unread_.size() < end) {
    if (!read_more()) throw std::system_error(std::make_error_code(std::errc::connection_aborted), "recv");
  }
  auto response = unread_.substr(0, end);
  unread_.erase(0, end);
  return response;
}

std::string HttpClient::read_to_end() {
  while (read_more()) continue;
  return std::exchange(unread_, {});
}

std::string HttpClient::get(std::string_view path) {
  send(std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto response = read_response();
  return response.substr(response.find("\r\n\r\n") + 4);
}

void HttpClient::shutdown_write() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace atlas::testing
