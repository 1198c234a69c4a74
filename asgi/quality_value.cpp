#include <atlas/asgi/quality_value.hpp>

#include <atlas/http/characters.hpp>

#include <algorithm>
#include <cstddef>

namespace atlas::asgi {

std::optional<int> quality_value(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = text[0] == '1' ? quality_max : 0;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = quality_max / 10;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!http::is_digit(c)) return std::nullopt;
    value += weight * (c - '0');
    weight /= 10;
  }
  return value <= quality_max ? std::optional(value) : std::nullopt;
}

}  // namespace atlas::asgi
