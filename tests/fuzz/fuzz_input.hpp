// How a fuzzer's bytes are read: first a text, for what is tested to read, then choices of what happens to
// it. They are told apart by the last byte 0xFF. So a plain text is an input, too, and can be kept in the
// corpus as it is: where choices have run out, each is 0, which is the plainest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace atlas::testing {

class FuzzInput {
 public:
  explicit FuzzInput(std::string_view bytes) noexcept {
    const auto mark = bytes.rfind('\xFF');
    text_ = bytes.substr(0, mark);
    if (mark != std::string_view::npos) choices_ = bytes.substr(mark + 1);
  }

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] bool has_choices() const noexcept { return !choices_.empty(); }

  /// The next choice, 0 to 254.
  std::uint8_t next() noexcept {
    if (choices_.empty()) return 0;
    const auto choice = static_cast<std::uint8_t>(choices_.front());
    choices_.remove_prefix(1);
    return choice;
  }
  /// Less than `bound`, which is 1 to 255.
  std::size_t below(std::size_t bound) noexcept { return next() % bound; }
  bool coin() noexcept { return next() % 2 == 1; }

  /// One of an array's elements: the first when choices have run out.
  template <class T, std::size_t n>
  const T& one_of(const T (&elements)[n]) noexcept {
    return elements[below(n)];
  }

  /// Takes up to `bytes` from the front of the text.
  std::string_view take_text(std::size_t bytes) noexcept {
    const auto taken = text_.substr(0, bytes);
    text_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view text_;
  std::string_view choices_;
};

}  // namespace atlas::testing
