#include <atlas/core/ip_networks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace atlas {
namespace {

using Bytes = std::array<unsigned char, 16>;

constexpr unsigned address_bits = 128;
constexpr unsigned ipv4_prefix_bits =
    96;  // of ::ffff:0:0/96, where IPv4 lies within IPv6 (RFC 4291 §2.5.5.2)
constexpr Bytes ipv4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

bool is_ipv4(const Bytes& bytes) noexcept {
  return std::equal(bytes.begin(), bytes.begin() + ipv4_prefix_bits / 8, ipv4_prefix.begin());
}

Bytes as_ipv6(const SocketAddress& address) noexcept {
  if (address.family() == SocketAddress::Family::ipv6) return address.ip_bytes();
  Bytes bytes = ipv4_prefix;
  std::copy_n(address.ip_bytes().begin(), 4, bytes.begin() + ipv4_prefix_bits / 8);
  return bytes;
}

Bytes masked(const Bytes& bytes, unsigned bits) noexcept {
  Bytes result{};
  for (unsigned bit = 0; bit < bits; ++bit) {
    const auto mask = static_cast<unsigned char>(0x80U >> bit % 8);
    result[bit / 8] = static_cast<unsigned char>(result[bit / 8] | (bytes[bit / 8] & mask));
  }
  return result;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Result<unsigned> parse_bits(std::string_view text, unsigned max) {
  unsigned bits = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || stop != text.data() + text.size() || bits > max)
    return Unexpected(std::errc::invalid_argument);
  return bits;
}

std::string host_of(const Bytes& bytes) {
  if (is_ipv4(bytes)) return fmt::format("{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    fmt::format_to(std::back_inserter(text), "{}{:x}", i == 0 ? "" : ":", bytes[i] << 8 | bytes[i + 1]);
  }
  return SocketAddress::ip(text, 0).value().host();
}

}  // namespace

Result<IpNetworks::Network> IpNetworks::parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = SocketAddress::ip(text.substr(0, slash), 0);
  if (!address) return Unexpected(address.error());
  Network network{as_ipv6(*address), address_bits};
  if (slash != std::string_view::npos) {
    const unsigned before = address->family() == SocketAddress::Family::ipv4 ? ipv4_prefix_bits : 0;
    const auto bits = parse_bits(text.substr(slash + 1), address_bits - before);
    if (!bits) return Unexpected(bits.error());
    network.bits = before + *bits;
  }
  if (masked(network.bytes, network.bits) != network.bytes) return Unexpected(std::errc::invalid_argument);
  return network;
}

Result<IpNetworks> IpNetworks::parse(std::string_view text) {
  IpNetworks networks;
  if (trimmed(text).empty()) return networks;
  for (;;) {
    const auto comma = text.find(',');
    const auto element = trimmed(text.substr(0, comma));
    if (element == "unix" || element == "all") networks.unix_ = true;
    if (element == "all") {
      networks.networks_.push_back({Bytes{}, 0});
    } else if (element != "unix") {
      const auto network = parse_network(element);
      if (!network) return Unexpected(network.error());
      networks.networks_.push_back(*network);
    }
    if (comma == std::string_view::npos) return networks;
    text.remove_prefix(comma + 1);
  }
}

bool IpNetworks::contains(const SocketAddress& address) const noexcept {
  if (address.is_unix()) return unix_;
  const auto bytes = as_ipv6(address);
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return masked(bytes, network.bits) == network.bytes; });
}

std::string IpNetworks::to_string() const {
  std::string text = unix_ ? "unix" : "";
  for (const auto& network : networks_) {
    if (!text.empty()) text += ',';
    const unsigned before = is_ipv4(network.bytes) && network.bits >= ipv4_prefix_bits ? ipv4_prefix_bits : 0;
    if (network.bits == 0 && unix_) {
      text = "all";
    } else if (network.bits == address_bits) {
      text += host_of(network.bytes);
    } else {
      fmt::format_to(std::back_inserter(text), "{}/{}", host_of(network.bytes), network.bits - before);
    }
  }
  return text;
}

}  // namespace atlas
