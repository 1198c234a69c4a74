#include <atlas/asgi/toolkit/text_value.hpp>

#include <cmath>

namespace atlas::asgi {

std::optional<double> TextValue<double>::parse(std::string_view text) {
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

std::optional<bool> TextValue<bool>::parse(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

}  // namespace atlas::asgi
