// Who may have a connection: those of all workers are counted, in all and by address. Knows nothing of what a
// connection does, nor of how a refusal is told.
#pragma once

#include <atlas/core/address.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

namespace atlas::asgi {

/// Safe from any thread. Outlives its places.
class Admission {
 public:
  struct Limits {
    std::size_t connections_max = SIZE_MAX;
    /// Of one IPv4 address, or of one IPv6 network of 64 bits, since that is what one subscriber gets.
    /// Clients of a unix socket have no address, and are not limited by it.
    std::size_t connections_per_address_max = SIZE_MAX;
  };

  /// One connection's; given back when destroyed.
  class Place {
   public:
    Place() noexcept = default;
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), network_(other.network_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(network_, other.network_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (owner_ != nullptr) owner_->give_back(network_);
    }

   private:
    friend class Admission;
    Place(Admission& owner, std::uint64_t network) noexcept : owner_(&owner), network_(network) {}

    Admission* owner_ = nullptr;
    std::uint64_t network_ = 0;
  };

  enum class Refusal : std::uint8_t {
    full,          ///< There are `connections_max`.
    address_full,  ///< This client's address has all that it may have.
  };

  [[nodiscard]] static std::string_view text(Refusal refusal) noexcept;

  explicit Admission(const Limits& limits) : limits_(limits) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  [[nodiscard]] std::variant<Place, Refusal> admit(const SocketAddress& client);
  [[nodiscard]] std::size_t admitted() const;

 private:
  void give_back(std::uint64_t network) noexcept;

  const Limits limits_;
  mutable std::mutex mutex_;
  std::size_t admitted_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> by_network_;  // those that have a connection
};

}  // namespace atlas::asgi
