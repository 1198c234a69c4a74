#include <atlas/http/header.hpp>

#include <algorithm>

namespace atlas::http {

bool detail::iequals_of_one_size(const char* left, const char* right, std::size_t size) noexcept {
  return std::equal(left, left + size, right, [](char a, char b) { return to_lower(a) == to_lower(b); });
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

std::optional<std::string_view> find_in_any_case(HeadersView headers, std::string_view name) noexcept {
  for (const Header& field : headers) {
    if (iequals(field.name, name)) return field.value;
  }
  return std::nullopt;
}

}  // namespace atlas::http
