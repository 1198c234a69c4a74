#include <atlas/http/target.hpp>

#include <atlas/http/characters.hpp>

#include <cstdint>

namespace atlas::http {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// The byte that the escape at the front of `text` stands for; nothing for a malformed one or %00.
std::optional<char> read_escape(std::string_view text) noexcept {
  if (text.size() < 3) return std::nullopt;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  if (high < 0 || low < 0 || (high | low) == 0) return std::nullopt;
  return static_cast<char>(high << 4 | low);
}

bool append_unescaped(std::string_view raw, ByteBuffer& out) {
  while (!raw.empty()) {
    const std::string_view plain = raw.substr(0, raw.find('%'));
    out.append(plain);
    raw.remove_prefix(plain.size());
    if (raw.empty()) break;
    const std::optional<char> byte = read_escape(raw);
    if (!byte) return false;
    out.append(*byte);
    raw.remove_prefix(3);
  }
  return true;
}

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

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Prefix prefix = read_sequence(text);
    if (!prefix.valid) return false;
    text.remove_prefix(prefix.bytes);
  }
  return true;
}

void append_repaired(std::string_view text, ByteBuffer& out) {
  while (!text.empty()) {
    const Prefix prefix = read_sequence(text);
    out.append(prefix.valid ? text.substr(0, prefix.bytes) : replacement);
    text.remove_prefix(prefix.bytes);
  }
}

// Out of line, so that plain paths do not pay for the registers it saves.
[[gnu::noinline]] std::optional<std::string_view> decode_escapes(std::string_view raw, ByteBuffer& scratch) {
  scratch.clear();
  if (!append_unescaped(raw, scratch)) return std::nullopt;
  if (is_utf8(scratch.view())) return scratch.view();
  ByteBuffer repaired(scratch.size() * replacement.size());
  append_repaired(scratch.view(), repaired);
  scratch.swap(repaired);
  return scratch.view();
}

}  // namespace

std::optional<std::string_view> decode_path(std::string_view raw, ByteBuffer& scratch) {
  if (are_in(CharacterClass::unescaped, raw)) return raw;
  return decode_escapes(raw, scratch);
}

}  // namespace atlas::http
