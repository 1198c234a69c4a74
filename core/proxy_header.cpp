#include <atlas/core/proxy_header.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>

namespace atlas {
namespace {

constexpr std::string_view line_start = "PROXY ";
constexpr std::size_t line_bytes_max = 107;
constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t block_start_bytes = 16;  // signature, version and command, family, length

constexpr auto malformed = std::errc::protocol_error;

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

unsigned number_at(std::string_view text, std::size_t index) noexcept {
  return byte_at(text, index) << 8 | byte_at(text, index + 1);
}

// ---- version 1 ----

/// Takes the front of `rest` up to the next space. Nothing when it is empty.
std::optional<std::string_view> take_word(std::string_view& rest) {
  const auto word = rest.substr(0, rest.find(' '));
  if (word.empty()) return std::nullopt;
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  return word;
}

/// Decimal, without leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool has_zeros = text.size() > 1 && text.starts_with('0');
  if (error != std::errc() || stop != text.data() + text.size() || has_zeros) return std::nullopt;
  return port;
}

Result<SocketAddress> address_of(std::string_view host, std::string_view port, SocketAddress::Family family) {
  const auto number = parse_port(port);
  if (!number) return Unexpected(malformed);
  auto address = SocketAddress::ip(host, *number);
  if (!address || address->family() != family) return Unexpected(malformed);
  return address;
}

Result<ProxyHeader> parse_addresses(std::string_view words, SocketAddress::Family family) {
  if (std::ranges::count(words, ' ') != 3) return Unexpected(malformed);
  std::array<std::string_view, 4> parts;  // client's host, server's host, client's port, server's port
  for (auto& part : parts) {
    const auto word = take_word(words);
    if (!word) return Unexpected(malformed);
    part = *word;
  }
  const auto client = address_of(parts[0], parts[2], family);
  const auto server = address_of(parts[1], parts[3], family);
  if (!client || !server) return Unexpected(malformed);
  return ProxyHeader{ProxyHeader::Connection{*client, *server}};
}

// ---- version 2 ----

template <class Native>
SocketAddress native_address(const Native& native) {
  return SocketAddress(reinterpret_cast<const sockaddr*>(&native), sizeof native);
}

SocketAddress ipv4_at(std::string_view bytes, std::size_t address, std::size_t port) {
  sockaddr_in native{};
  native.sin_family = AF_INET;
  std::copy_n(bytes.data() + address, sizeof native.sin_addr, reinterpret_cast<char*>(&native.sin_addr));
  native.sin_port = htons(static_cast<std::uint16_t>(number_at(bytes, port)));
  return native_address(native);
}

SocketAddress ipv6_at(std::string_view bytes, std::size_t address, std::size_t port) {
  sockaddr_in6 native{};
  native.sin6_family = AF_INET6;
  std::copy_n(bytes.data() + address, sizeof native.sin6_addr, reinterpret_cast<char*>(&native.sin6_addr));
  native.sin6_port = htons(static_cast<std::uint16_t>(number_at(bytes, port)));
  return native_address(native);
}

Result<ProxyHeader> parse_block_addresses(unsigned family, std::string_view bytes) {
  constexpr unsigned tcp_over_ipv4 = 0x11;
  constexpr unsigned tcp_over_ipv6 = 0x21;
  constexpr std::size_t ipv4_bytes = 12;
  constexpr std::size_t ipv6_bytes = 36;
  if (family == tcp_over_ipv4) {
    if (bytes.size() < ipv4_bytes) return Unexpected(malformed);
    return ProxyHeader{ProxyHeader::Connection{ipv4_at(bytes, 0, 8), ipv4_at(bytes, 4, 10)}};
  }
  if (family == tcp_over_ipv6) {
    if (bytes.size() < ipv6_bytes) return Unexpected(malformed);
    return ProxyHeader{ProxyHeader::Connection{ipv6_at(bytes, 0, 32), ipv6_at(bytes, 16, 34)}};
  }
  return ProxyHeader{};  // AF_UNSPEC, unix sockets, datagrams: nothing that a client has here
}

// ---- reading ----

/// Appends `count` bytes.
Result<void> read_exactly(Stream& stream, std::string& into, std::size_t count, Deadline deadline) {
  const auto begin = into.size();
  into.resize(begin + count);
  for (auto rest = std::span(into).subspan(begin); !rest.empty();) {
    const auto read = stream.read_some(rest, deadline);
    if (!read) return Unexpected(read.error());
    if (*read == 0) return Unexpected(std::errc::connection_reset);
    rest = rest.subspan(*read);
  }
  return {};
}

Result<ProxyHeader> read_line(Stream& stream, std::string line, Deadline deadline) {
  while (!line.ends_with('\n')) {
    if (line.size() == line_bytes_max) return Unexpected(malformed);
    if (auto read = read_exactly(stream, line, 1, deadline); !read) return Unexpected(read.error());
    const auto common = std::min(line.size(), line_start.size());
    if (line.compare(0, common, line_start, 0, common) != 0) return Unexpected(malformed);
  }
  return parse_proxy_line(line);
}

Result<ProxyHeader> read_block(Stream& stream, std::string block, Deadline deadline) {
  if (auto read = read_exactly(stream, block, block_start_bytes - block.size(), deadline); !read)
    return Unexpected(read.error());
  if (!block.starts_with(signature)) return Unexpected(malformed);
  const auto length = number_at(block, 14);
  if (block.size() + length > proxy_header_bytes_max) return Unexpected(malformed);
  if (auto read = read_exactly(stream, block, length, deadline); !read) return Unexpected(read.error());
  return parse_proxy_block(block);
}

}  // namespace

Result<ProxyHeader> parse_proxy_line(std::string_view line) {
  if (line.size() > line_bytes_max || !line.starts_with(line_start) || !line.ends_with("\r\n"))
    return Unexpected(malformed);
  line = line.substr(line_start.size(), line.size() - line_start.size() - 2);
  const auto protocol = take_word(line);
  if (protocol == "UNKNOWN") return ProxyHeader{};  // whatever follows is to be ignored
  if (protocol == "TCP4") return parse_addresses(line, SocketAddress::Family::ipv4);
  if (protocol == "TCP6") return parse_addresses(line, SocketAddress::Family::ipv6);
  return Unexpected(malformed);
}

Result<ProxyHeader> parse_proxy_block(std::string_view block) {
  constexpr unsigned local = 0x20;
  constexpr unsigned proxied = 0x21;
  if (block.size() < block_start_bytes || !block.starts_with(signature)) return Unexpected(malformed);
  const auto command = byte_at(block, 12);
  const auto family = byte_at(block, 13);
  const auto addresses = block.substr(block_start_bytes);
  if (addresses.size() != number_at(block, 14)) return Unexpected(malformed);
  if (command == local) return ProxyHeader{};
  if (command != proxied) return Unexpected(malformed);
  return parse_block_addresses(family, addresses);
}

// Byte by byte as long as it is short: what follows belongs to the client.
Result<ProxyHeader> read_proxy_header(Stream& stream, Deadline deadline) {
  std::string start;
  if (auto read = read_exactly(stream, start, 1, deadline); !read) return Unexpected(read.error());
  if (start[0] == line_start[0]) return read_line(stream, std::move(start), deadline);
  if (start[0] == signature[0]) return read_block(stream, std::move(start), deadline);
  return Unexpected(malformed);
}

}  // namespace atlas
