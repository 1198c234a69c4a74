// What a route's pattern has matched in a path: names and values. Views only.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace atlas::asgi {

class PathParameters {
 public:
  struct Item {
    std::string_view name;
    std::string_view value;
  };
  static constexpr std::size_t count_max = 16;  ///< In one pattern.

  PathParameters() noexcept {}  // NOLINT(modernize-use-equals-default): deleted, because of the union
  PathParameters(const PathParameters&) = delete;
  PathParameters& operator=(const PathParameters&) = delete;
  ~PathParameters() = default;

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept {
    for (const auto& item : *this) {
      if (item.name == name) return item.value;
    }
    return std::nullopt;
  }
  [[nodiscard]] const Item* begin() const noexcept { return items_.data(); }
  [[nodiscard]] const Item* end() const noexcept { return items_.data() + size_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Not beyond count_max.
  void push(const Item& item) noexcept { std::construct_at(&items_[size_++], item); }
  void pop() noexcept { --size_; }
  /// In the same order; as many as there are values.
  void set_names(std::span<const std::string> names) noexcept {
    for (std::size_t i = 0; i < size_; ++i) items_[i].name = names[i];
  }

 private:
  std::size_t size_ = 0;
  // Not initialised beyond `size_`: it is made for each request.
  union {
    std::array<Item, count_max> items_;  // NOLINT(readability-identifier-naming)
  };
};

}  // namespace atlas::asgi
