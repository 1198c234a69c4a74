#include <atlas/http/target.hpp>

#include <atlas/http/characters.hpp>
#include <atlas/http/utf8.hpp>

namespace atlas::http {
namespace {

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

// Out of line, so that plain paths do not pay for the registers it saves.
[[gnu::noinline]] std::optional<std::string_view> decode_escapes(std::string_view raw, ByteBuffer& scratch) {
  scratch.clear();
  if (!append_unescaped(raw, scratch)) return std::nullopt;
  if (is_utf8(scratch.view())) return scratch.view();
  ByteBuffer repaired(scratch.size() * utf8_repair_growth);
  append_repaired_utf8(scratch.view(), repaired);
  scratch.swap(repaired);
  return scratch.view();
}

}  // namespace

std::optional<std::string_view> decode_path(std::string_view raw, ByteBuffer& scratch) {
  if (are_in(CharacterClass::unescaped, raw)) return raw;
  return decode_escapes(raw, scratch);
}

}  // namespace atlas::http
