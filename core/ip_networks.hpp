// Networks of addresses, as people write them: "10.0.0.0/8, 2001:db8::/32, ::1".
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {

/// A value. Default: empty, which contains nobody.
class IpNetworks {
 public:
  /// Elements between commas: an address, an address and the number of bits that count, "unix" for clients of
  /// unix sockets, or "all" for everybody. An empty text is an empty list. std::errc::invalid_argument for
  /// any other, also for bits beyond those that count.
  [[nodiscard]] static Result<IpNetworks> parse(std::string_view text);

  /// An IPv4 address that came as IPv6 ("::ffff:10.0.0.1") is what it means.
  [[nodiscard]] bool contains(const SocketAddress& address) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return networks_.empty() && !unix_; }
  /// What `parse` would read as the same.
  [[nodiscard]] std::string to_string() const;

 private:
  struct Network {
    std::array<unsigned char, 16> bytes;  // IPv4 as IPv6
    unsigned bits;
  };
  [[nodiscard]] static Result<Network> parse_network(std::string_view text);

  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace atlas
