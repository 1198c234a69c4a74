// How deep the fibers of each name have used their stacks. Knows names and sizes, not stacks. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace atlas::detail {

class StackMarks {
 public:
  struct Mark {
    std::uint8_t name_size = 0;
    std::array<char, 31> name_text{};
    std::size_t bytes_max = 0;
    std::uint64_t samples = 0;

    [[nodiscard]] std::string_view name() const noexcept { return {name_text.data(), name_size}; }
  };

  /// Names beyond these share one mark, "(others)".
  static constexpr std::size_t names_max = 64;

  StackMarks();

  /// One stack of a fiber named `name` was used that deep. Does not allocate.
  void note(std::string_view name, std::size_t bytes) noexcept;
  /// In the order of their first sample.
  [[nodiscard]] const std::vector<Mark>& all() const noexcept { return marks_; }

 private:
  Mark& mark_of(std::string_view name) noexcept;

  std::vector<Mark> marks_;
};

}  // namespace atlas::detail
