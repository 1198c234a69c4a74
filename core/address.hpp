// Where a socket is bound or connected: an IP address and port, or a path.
#pragma once

#include <atlas/core/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

struct sockaddr;

namespace atlas {

/// A value; compares and copies. Default: nowhere (an unnamed unix socket).
class SocketAddress {
 public:
  enum class Family : std::uint8_t { unix_path, ipv4, ipv6 };

  SocketAddress() = default;
  /// From what accept, getsockname and their kin gave.
  explicit SocketAddress(const sockaddr* native, std::size_t native_bytes);

  /// `host` is a literal IPv4 or IPv6 address (names are not looked up), without brackets.
  /// std::errc::invalid_argument otherwise.
  [[nodiscard]] static Result<SocketAddress> ip(std::string_view host, std::uint16_t port);
  /// std::errc::filename_too_long when the system cannot hold `path` (107 bytes), invalid_argument when it is
  /// empty.
  [[nodiscard]] static Result<SocketAddress> unix_socket(std::string_view path);

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] bool is_unix() const noexcept { return family_ == Family::unix_path; }
  /// The address as text, or the path.
  [[nodiscard]] std::string host() const;
  /// As on the wire: the first 4 for IPv4, all for IPv6.
  [[nodiscard]] const std::array<unsigned char, 16>& ip_bytes() const noexcept { return ip_; }
  /// 0 for a path.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The same address with another port. Not for a path.
  [[nodiscard]] SocketAddress with_port(std::uint16_t port) const;
  /// Whether it is the address that stands for all (0.0.0.0 or ::).
  [[nodiscard]] bool is_wildcard() const noexcept;
  /// "127.0.0.1:80", "[::1]:80" or "unix:/path".
  [[nodiscard]] std::string to_string() const;

  /// Writes the system's form into `storage` (at least 128 bytes, aligned as sockaddr_storage); its size.
  std::size_t to_native(sockaddr* storage) const noexcept;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;

 private:
  Family family_ = Family::unix_path;
  std::uint16_t port_ = 0;
  std::uint32_t scope_id_ = 0;
  std::array<unsigned char, 16> ip_{};
  std::string path_;
};

}  // namespace atlas
