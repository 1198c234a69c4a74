#include <atlas/asgi/toolkit/url_text.hpp>

#include <atlas/asgi/toolkit/http_error.hpp>
#include <atlas/http/characters.hpp>
#include <atlas/http/utf8.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace atlas::asgi {
namespace {

bool is_unreserved(char c) noexcept {
  return http::is_digit(c) || http::is_letter(c) ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

/// Of the two characters behind a percent sign; negative when they are none.
int byte_of_escape(std::string_view text) noexcept {
  if (text.size() < 2) return -1;
  const int high = http::hex_value(text[0]);
  const int low = http::hex_value(text[1]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

}  // namespace

std::optional<std::string> decode_form_text(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded += ' ';
    } else if (text[i] == '%') {
      const int byte = byte_of_escape(text.substr(i + 1));
      if (byte <= 0) return std::nullopt;
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  if (!http::is_utf8(decoded) || decoded.find('\0') != std::string::npos) return std::nullopt;
  return decoded;
}

std::string encode_form_text(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = http::byte_of(c);
      encoded.append(1, '%').append(1, hex[byte >> 4]).append(1, hex[byte & 0xf]);
    }
  }
  return encoded;
}

void FormPairs::parse(std::string_view text, std::string_view what, std::size_t pairs_max, int too_many) {
  items_.clear();
  decoded_.clear();
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    if (items_.size() == pairs_max)
      throw HttpError(too_many, fmt::format("{} has more than {} names", what, pairs_max));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals), what);
    items_.push_back({name, decoded(pair.substr(std::min(equals + 1, pair.size())), what)});
  }
}

std::string_view FormPairs::decoded(std::string_view text, std::string_view what) {
  const bool is_plain = std::ranges::all_of(
      text, [](char c) { return c != '%' && c != '+' && http::byte_of(c) < 0x80 && c != '\0'; });
  if (is_plain) return text;
  auto decoded = decode_form_text(text);
  if (!decoded) throw HttpError(400, fmt::format("{} has a malformed escape, or is not UTF-8", what));
  return decoded_.emplace_back(*std::move(decoded));
}

std::optional<std::string_view> FormPairs::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(items_, name, &Item::name);
  return found == items_.end() ? std::nullopt : std::optional(found->value);
}

std::vector<std::string_view> FormPairs::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& item : items_) {
    if (item.name == name) values.push_back(item.value);
  }
  return values;
}

}  // namespace atlas::asgi
