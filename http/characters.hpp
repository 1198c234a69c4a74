// Characters as HTTP's grammar classes them: ASCII, without any locale.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace atlas::http {

/// The byte of a character, whose sign depends on the platform.
[[nodiscard]] constexpr std::uint8_t byte_of(char c) noexcept { return static_cast<std::uint8_t>(c); }

/// Only the letters of ASCII have a lower case; bytes above 127 are left alone.
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

namespace detail {

// A word's bytes one by one, whatever their order: the sums stay within their bytes, and reach the highest
// bit of those that are `A` or above, and above `Z`.
template <typename Word>
[[nodiscard]] constexpr Word to_lower_word(Word word) noexcept {
  constexpr Word each = static_cast<Word>(~Word{0}) / 0xFF;  // 0x0101...
  const Word low_bits = word & each * 0x7F;
  const Word from_a = low_bits + each * (0x80 - 'A');
  const Word above_z = low_bits + each * (0x7F - 'Z');
  const Word is_capital = from_a & ~above_z & ~word & each * 0x80;
  return word | is_capital >> 2;  // 0x80 to 0x20, which is what letters of either case differ by
}

template <typename Word>
void lower_word_at(char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  word = to_lower_word(word);
  std::memcpy(at, &word, sizeof word);
}

}  // namespace detail

/// The same for each character of a text, where it lies. The last word may overlap the one before.
inline void make_lower(std::span<char> text) noexcept {
  char* at = text.data();
  char* const end = at + text.size();
  if (text.size() < 4) {
    for (; at < end; ++at) *at = to_lower(*at);
    return;
  }
  for (; end - at > 8; at += 8) detail::lower_word_at<std::uint64_t>(at);
  if (end - at > 4) detail::lower_word_at<std::uint32_t>(at);
  detail::lower_word_at<std::uint32_t>(end - 4);
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Space or tab, of which OWS and BWS consist (RFC 9110 §5.6.3).
[[nodiscard]] constexpr bool is_ows(char c) noexcept { return c == ' ' || c == '\t'; }

/// The value of a hexadecimal digit of either case; -1 for any other character.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// A set of characters, made at compile time; to ask it is one look into a table.
class CharacterSet {
 public:
  constexpr CharacterSet& add(std::string_view characters) noexcept {
    for (char c : characters) table_[byte_of(c)] = true;
    return *this;
  }

  /// Both ends are included.
  constexpr CharacterSet& add_range(std::uint8_t first, std::uint8_t last) noexcept {
    for (std::size_t byte = first; byte <= last; ++byte) table_[byte] = true;
    return *this;
  }

  constexpr CharacterSet& add_letters_and_digits() noexcept {
    return add_range('0', '9').add_range('A', 'Z').add_range('a', 'z');
  }

  constexpr CharacterSet& remove(char c) noexcept {
    table_[byte_of(c)] = false;
    return *this;
  }

  [[nodiscard]] constexpr bool has(char c) const noexcept { return table_[byte_of(c)]; }

  /// Looks up blocks of eight and four, with one branch for each: what is sent with every request is short,
  /// and a branch costs as much as a look-up. The last block ends with the text, and may overlap the one
  /// before.
  [[nodiscard]] constexpr bool has_all_of(std::string_view text) const noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    if (text.size() < 4) return has_each_of(text);
    for (; end - at > 8; at += 8) {
      if (!has_block<8>(at)) return false;
    }
    if (end - at > 4 && !has_block<4>(at)) return false;
    return has_block<4>(end - 4);
  }

 private:
  [[nodiscard]] constexpr bool has_each_of(std::string_view text) const noexcept {
    for (char c : text) {
      if (!has(c)) return false;
    }
    return true;
  }

  template <std::size_t block_bytes>
  [[nodiscard]] constexpr bool has_block(const char* at) const noexcept {
    bool all = true;
    for (std::size_t i = 0; i < block_bytes; ++i) all = all & has(at[i]);  // not &&: no branches
    return all;
  }

  std::array<bool, 256> table_{};
};

/// tchar of RFC 9110 §5.6.2: what methods and header names consist of.
inline constexpr CharacterSet token_characters =
    CharacterSet().add_letters_and_digits().add("!#$%&'*+-.^_`|~");

/// What header values consist of (RFC 9110 §5.5): no control characters but HTAB, no DEL; obs-text is
/// allowed.
inline constexpr CharacterSet field_value_characters =
    CharacterSet().add("\t").add_range(0x20, 0xFF).remove('\x7F');

}  // namespace atlas::http
