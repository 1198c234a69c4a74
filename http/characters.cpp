#include <atlas/http/characters.hpp>

namespace atlas::http {
namespace {

template <std::size_t block_bytes>
bool is_block_in(CharacterClass wanted, const char* at) noexcept {
  auto common = static_cast<std::uint8_t>(wanted);
  for (std::size_t i = 0; i < block_bytes; ++i) common &= detail::character_table[at[i]];  // no branches
  return common != 0;
}

bool is_each_in(CharacterClass wanted, std::string_view text) noexcept {
  for (char c : text) {
    if (!is_in(wanted, c)) return false;
  }
  return true;
}

}  // namespace

// Looks up blocks of eight and four, with one branch for each: what is sent with every request is short, and
// a branch costs as much as a look-up. The last block ends with the text, and may overlap the one before. Not
// inline: one copy of it, which is in the processor's cache, serves all who ask.
[[gnu::noinline]] bool are_in(CharacterClass wanted, std::string_view text) noexcept {
  if (text.size() < 4) return is_each_in(wanted, text);
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; end - at > 8; at += 8) {
    if (!is_block_in<8>(wanted, at)) return false;
  }
  if (end - at > 4 && !is_block_in<4>(wanted, at)) return false;
  return is_block_in<4>(wanted, end - 4);
}

}  // namespace atlas::http
