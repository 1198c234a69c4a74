// Memory that ends where reading crashes: for tests of parsers, which must not look past their input.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace atlas::testing {

/// A copy of a text whose last byte lies right before an unreadable page. Neither copied nor moved.
class GuardedText {
 public:
  explicit GuardedText(std::string_view text);
  GuardedText(const GuardedText&) = delete;
  GuardedText& operator=(const GuardedText&) = delete;
  ~GuardedText();

  /// The copy, writable. Valid as long as this object.
  [[nodiscard]] std::span<char> bytes() const noexcept { return bytes_; }

 private:
  std::span<char> mapping_;
  std::span<char> bytes_;
};

}  // namespace atlas::testing
