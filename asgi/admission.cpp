#include <atlas/asgi/admission.hpp>

namespace atlas::asgi {
namespace {

constexpr std::uint64_t no_network = 0;

/// What a client's address is counted by, in 64 bits: an IPv6 network, or an IPv4 address where no IPv6
/// network is that a client could have (ff00::/8 is multicast).
std::uint64_t network_of(const SocketAddress& client) noexcept {
  constexpr std::uint64_t ipv4 = std::uint64_t{0xff} << 56;
  const auto& bytes = client.ip_bytes();
  const std::size_t count = client.family() == SocketAddress::Family::ipv4 ? 4 : 8;
  if (client.is_unix()) return no_network;
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < count; ++i) network = network << 8 | bytes[i];
  return count == 4 ? ipv4 | network : network;
}

}  // namespace

std::string_view Admission::text(Refusal refusal) noexcept {
  return refusal == Refusal::full ? "the limit of connections is reached"
                                  : "the limit of connections per address is reached";
}

std::variant<Admission::Place, Admission::Refusal> Admission::admit(const SocketAddress& client) {
  const auto network = network_of(client);
  const std::lock_guard lock(mutex_);
  if (admitted_ >= limits_.connections_max) return Refusal::full;
  if (network != no_network) {
    const auto [found, is_new] = by_network_.try_emplace(network, 0);
    if (found->second >= limits_.connections_per_address_max) return Refusal::address_full;
    ++found->second;
  }
  ++admitted_;
  return Place(*this, network);
}

std::size_t Admission::admitted() const {
  const std::lock_guard lock(mutex_);
  return admitted_;
}

void Admission::give_back(std::uint64_t network) noexcept {
  const std::lock_guard lock(mutex_);
  --admitted_;
  if (network == no_network) return;
  const auto found = by_network_.find(network);
  if (--found->second == 0) by_network_.erase(found);
}

}  // namespace atlas::asgi
