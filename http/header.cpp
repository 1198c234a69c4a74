#include <atlas/http/header.hpp>

#include <algorithm>

namespace atlas::http {
bool iequals(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, {}, to_lower, to_lower);
}

bool is_token(std::string_view text) noexcept { return !text.empty() && token_characters.has_all_of(text); }

bool is_field_value(std::string_view text) noexcept { return field_value_characters.has_all_of(text); }

std::string_view trim_ows(std::string_view text) noexcept {
  while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back())) text.remove_suffix(1);
  return text;
}

bool list_has_token(std::string_view list, std::string_view token) noexcept {
  bool found = false;
  for_each_list_element(list, [&](std::string_view element) { found = found || iequals(element, token); });
  return found;
}

std::optional<std::string_view> HeadersView::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(fields_, name, &Header::name);
  if (found == fields_.end()) return std::nullopt;
  return found->value;
}

bool HeadersView::contains(std::string_view name) const noexcept { return find(name).has_value(); }

std::size_t HeadersView::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(fields_, name, &Header::name));
}

bool HeadersView::has_token(std::string_view name, std::string_view token) const noexcept {
  return std::ranges::any_of(
      fields_, [&](const Header& field) { return field.name == name && list_has_token(field.value, token); });
}

}  // namespace atlas::http
