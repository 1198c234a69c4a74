#include <atlas/asgi/static_encodings.hpp>

#include <atlas/asgi/quality_value.hpp>

#include <algorithm>
#include <optional>

namespace atlas::asgi {
namespace {

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
