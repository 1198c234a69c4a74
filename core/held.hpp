// What a lock hands out: it holds until its end. Internal, though users' headers include it.
#pragma once

#include <atlas/core/assert.hpp>

#include <utility>

namespace atlas::detail {

/// Holds something of `Owner`, which outlives it, and gives it back with `GiveBack`. Moved from, it holds
/// nothing.
template <class Owner, class GiveBack>
class [[nodiscard]] Held {
 public:
  /// Takes over what the caller holds already.
  explicit Held(Owner& owner) noexcept : owner_(&owner) {}
  Held(Held&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
  Held& operator=(Held&& other) noexcept {
    Held previous(std::move(*this));
    owner_ = std::exchange(other.owner_, nullptr);
    return *this;
  }
  ~Held() {
    if (owner_ != nullptr) GiveBack::give_back(*owner_);
  }

  /// Gives it back before its end. Must hold.
  void unlock() {
    ATLAS_ASSERT(owner_ != nullptr, "what is not held cannot be given back");
    GiveBack::give_back(*std::exchange(owner_, nullptr));
  }
  /// Whether it still holds.
  explicit operator bool() const noexcept { return owner_ != nullptr; }
  /// Of what it holds; null when it does not.
  [[nodiscard]] Owner* owner() const noexcept { return owner_; }

 private:
  Owner* owner_;
};

}  // namespace atlas::detail
