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

/// Of ASCII.
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Space or tab, of which OWS and BWS consist (RFC 9110 §5.6.3).
[[nodiscard]] constexpr bool is_ows(char c) noexcept { return c == ' ' || c == '\t'; }

/// The value of a hexadecimal digit of either case; -1 for any other character.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// What a character may be part of. A set of classes: one table answers for all of them, so that a request's
/// characters are looked up in memory that is near.
enum class CharacterClass : std::uint8_t {
  token = 1,        // tchar of RFC 9110 §5.6.2: what methods and header names consist of
  field_value = 2,  // no control characters but HTAB, no DEL; obs-text is allowed (RFC 9110 §5.5)
  target = 4,  // visible ASCII without `#`. What RFC 3986 wants escaped, such as `|`, is let through, since
               // browsers send it
  path = 8,    // the same without `?`
  host = 16,   // unreserved and sub-delims of RFC 3986, but for the comma, with which a list of hosts
               // passes for one host
  unescaped = 32,  // ASCII without `%`
};

namespace detail {

class CharacterTable {
 public:
  constexpr CharacterTable() noexcept {
    constexpr std::string_view letters_and_digits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    add(CharacterClass::token, letters_and_digits).add(CharacterClass::token, "!#$%&'*+-.^_`|~");
    add(CharacterClass::field_value, "\t").add_range(CharacterClass::field_value, 0x20, 0xFF);
    remove(CharacterClass::field_value, '\x7F');
    add_range(CharacterClass::target, '!', '~').remove(CharacterClass::target, '#');
    add_range(CharacterClass::path, '!', '~').remove(CharacterClass::path, '#');
    remove(CharacterClass::path, '?');
    add(CharacterClass::host, letters_and_digits).add(CharacterClass::host, "-._~!$&'()*+;=");
    add_range(CharacterClass::unescaped, 0, 0x7F).remove(CharacterClass::unescaped, '%');
  }

  /// All classes of a character.
  [[nodiscard]] constexpr std::uint8_t operator[](char c) const noexcept { return classes_[byte_of(c)]; }

 private:
  constexpr CharacterTable& add(CharacterClass added, std::string_view characters) noexcept {
    for (char c : characters) add_range(added, byte_of(c), byte_of(c));
    return *this;
  }

  /// Both ends are included.
  constexpr CharacterTable& add_range(CharacterClass added, std::uint8_t first, std::uint8_t last) noexcept {
    for (std::size_t byte = first; byte <= last; ++byte) classes_[byte] |= static_cast<std::uint8_t>(added);
    return *this;
  }

  constexpr CharacterTable& remove(CharacterClass removed, char c) noexcept {
    classes_[byte_of(c)] &= static_cast<std::uint8_t>(~static_cast<unsigned>(removed));
    return *this;
  }

  alignas(64) std::array<std::uint8_t, 256> classes_{};
};

inline constexpr CharacterTable character_table;

}  // namespace detail

[[nodiscard]] constexpr bool is_in(CharacterClass wanted, char c) noexcept {
  return (detail::character_table[c] & static_cast<std::uint8_t>(wanted)) != 0;
}

/// Whether all characters of a text are of that class.
[[nodiscard]] bool are_in(CharacterClass wanted, std::string_view text) noexcept;

}  // namespace atlas::http
