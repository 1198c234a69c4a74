#include <atlas/http/utf8.hpp>

#include <atlas/http/characters.hpp>

#include <cstdint>

namespace atlas::http {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
static_assert(replacement.size() == utf8_repair_growth);

// What the lead byte of a UTF-8 sequence says of it (Unicode 15, table 3-7).
struct Sequence {
  std::size_t bytes;  // with the lead byte; 0: not a lead byte
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xBF;
};

constexpr Sequence sequence_of(std::uint8_t lead) noexcept {
  if (lead < 0x80) return {1};
  if (lead < 0xC2) return {0};
  if (lead < 0xE0) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// How much of the front of `text` is one sequence, or the longest beginning of one.
struct Prefix {
  std::size_t bytes;
  bool valid;
};

Prefix read_sequence(std::string_view text) noexcept {
  const auto byte_at = [text](std::size_t index) { return byte_of(text[index]); };
  const Sequence sequence = sequence_of(byte_at(0));
  std::size_t bytes = 1;
  for (; bytes < sequence.bytes && bytes < text.size(); ++bytes) {
    const std::uint8_t min = bytes == 1 ? sequence.second_min : std::uint8_t{0x80};
    const std::uint8_t max = bytes == 1 ? sequence.second_max : std::uint8_t{0xBF};
    if (byte_at(bytes) < min || byte_at(bytes) > max) break;
  }
  return {bytes, bytes == sequence.bytes};
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Prefix prefix = read_sequence(text);
    if (!prefix.valid) return false;
    text.remove_prefix(prefix.bytes);
  }
  return true;
}

void append_repaired_utf8(std::string_view text, ByteBuffer& out) {
  while (!text.empty()) {
    const Prefix prefix = read_sequence(text);
    out.append(prefix.valid ? text.substr(0, prefix.bytes) : replacement);
    text.remove_prefix(prefix.bytes);
  }
}

}  // namespace atlas::http
