#include <atlas/http/characters.hpp>

namespace atlas::http {
namespace {

// Sixteen bytes, on which the processor works at once (an extension that g++ and clang share).
using Block [[gnu::vector_size(16)]] = std::uint8_t;
using Violations = decltype(Block() < Block());  // all ones where a byte is not of the class

constexpr Block each(char c) noexcept { return Block{} + byte_of(c); }

// The classes that are ranges but for some characters.
Violations outside_field_value(Block bytes) noexcept {
  return ((bytes < each(' ')) & (bytes != each('\t'))) | (bytes == each('\x7F'));
}
Violations outside_target(Block bytes) noexcept {
  return (bytes < each('!')) | (bytes > each('~')) | (bytes == each('#'));
}
Violations outside_path(Block bytes) noexcept { return outside_target(bytes) | (bytes == each('?')); }
Violations outside_unescaped(Block bytes) noexcept { return (bytes > each('\x7F')) | (bytes == each('%')); }

bool is_any(Violations violations) noexcept {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &violations, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

bool is_each_in(CharacterClass wanted, std::string_view text) noexcept {
  for (char c : text) {
    if (!is_in(wanted, c)) return false;
  }
  return true;
}

// A block made of a text's first and last bytes, which may be the same ones.
template <std::size_t end_bytes>
Block block_of_ends(std::string_view text) noexcept {
  std::array<char, sizeof(Block)> bytes;
  for (std::size_t at = 0; at < bytes.size(); at += 2 * end_bytes) {
    std::memcpy(&bytes[at], text.data(), end_bytes);
    std::memcpy(&bytes[at + end_bytes], text.data() + text.size() - end_bytes, end_bytes);
  }
  Block block;
  std::memcpy(&block, bytes.data(), sizeof block);
  return block;
}

Block block_at(const char* at) noexcept {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

// Four bytes at least. The last block ends with the text, and may overlap the one before.
template <Violations (*outside)(Block)>
bool are_blocks_in(std::string_view text) noexcept {
  if (text.size() < 8) return !is_any(outside(block_of_ends<4>(text)));
  if (text.size() < sizeof(Block)) return !is_any(outside(block_of_ends<8>(text)));
  const char* at = text.data();
  const char* const last = at + text.size() - sizeof(Block);
  for (; at < last; at += sizeof(Block)) {
    if (is_any(outside(block_at(at)))) return false;
  }
  return !is_any(outside(block_at(last)));
}

template <std::size_t bytes>
bool are_looked_up_in(CharacterClass wanted, const char* at) noexcept {
  auto common = static_cast<std::uint8_t>(wanted);
  for (std::size_t i = 0; i < bytes; ++i) common &= detail::character_table[at[i]];  // no branches
  return common != 0;
}

// Four bytes at least, eight at a time, with one branch for each: what is sent with every request is short,
// and a branch costs as much as a look-up.
bool are_looked_up(CharacterClass wanted, std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; end - at > 8; at += 8) {
    if (!are_looked_up_in<8>(wanted, at)) return false;
  }
  if (end - at > 4 && !are_looked_up_in<4>(wanted, at)) return false;
  return are_looked_up_in<4>(wanted, end - 4);
}

}  // namespace

// Not inline: one copy of it, which is in the processor's cache, serves all who ask.
[[gnu::noinline]] bool are_in(CharacterClass wanted, std::string_view text) noexcept {
  if (text.size() < 4) return is_each_in(wanted, text);
  switch (wanted) {
    case CharacterClass::field_value: return are_blocks_in<outside_field_value>(text);
    case CharacterClass::target: return are_blocks_in<outside_target>(text);
    case CharacterClass::path: return are_blocks_in<outside_path>(text);
    case CharacterClass::unescaped: return are_blocks_in<outside_unescaped>(text);
    case CharacterClass::token:
    case CharacterClass::host: return are_looked_up(wanted, text);
  }
  return false;
}

}  // namespace atlas::http
