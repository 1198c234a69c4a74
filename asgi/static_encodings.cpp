#include <atlas/asgi/static_encodings.hpp>

#include <atlas/http/characters.hpp>

#include <algorithm>
#include <optional>

namespace atlas::asgi {
namespace {

constexpr int quality_max = 1000;

/// "1", "0.5", "0.123" in thousandths (RFC 9110 §12.4.2).
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

/// Of a list's element, what follows its name.
std::optional<int> quality_of(std::string_view parameters) {
  parameters = http::trim_ows(parameters);
  if (parameters.empty()) return quality_max;
  if (parameters.front() != ';') return std::nullopt;
  const auto parameter = http::trim_ows(parameters.substr(1));
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return std::nullopt;
  return quality_value(parameter.substr(2));
}

std::string_view canonical(std::string_view coding) {
  return http::iequals(coding, "x-gzip") ? std::string_view("gzip") : coding;
}

}  // namespace

int coding_quality(http::HeadersView headers, std::string_view coding) {
  std::optional<int> named;
  std::optional<int> any;
  const auto take = [&](std::string_view element) {
    const auto name = http::trim_ows(element.substr(0, element.find(';')));
    const auto quality = quality_of(element.substr(std::min(element.find(';'), element.size())));
    if (!quality) return;
    if (http::iequals(canonical(name), coding)) named = quality;
    if (name == "*") any = quality;
  };
  headers.for_each("accept-encoding",
                   [&](std::string_view list) { http::for_each_list_element(list, take); });
  if (named) return *named;
  if (any) return *any;
  return coding == "identity" ? 1 : 0;
}

}  // namespace atlas::asgi
