// Header fields: the pair, the ordered list, and the character rules of RFC 9110 §5. Nothing here
// knows what any particular field means.
#pragma once

#include <atlas/http/characters.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace atlas::http {

/// One field line. The views belong to whoever made it.
struct Header {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Header&, const Header&) = default;
};

namespace detail {
[[nodiscard]] bool iequals_of_one_size(const char* left, const char* right, std::size_t size) noexcept;
}

/// Equal when the case of ASCII letters is ignored.
[[nodiscard]] inline bool iequals(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && detail::iequals_of_one_size(left.data(), right.data(), left.size());
}

/// One tchar or more.
[[nodiscard]] inline bool is_token(std::string_view text) noexcept {
  return !text.empty() && are_in(CharacterClass::token, text);
}

/// No control characters but HTAB, and no DEL; bytes above 127 (obs-text) are allowed.
[[nodiscard]] inline bool is_field_value(std::string_view text) noexcept {
  return are_in(CharacterClass::field_value, text);
}

/// Without the spaces and tabs (OWS) at both ends.
[[nodiscard]] constexpr std::string_view trim_ows(std::string_view text) noexcept {
  while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back())) text.remove_suffix(1);
  return text;
}

/// Calls `visit(std::string_view element)` for each element of a comma-separated list, trimmed; empty
/// elements are visited too. Quoted strings are not recognised: for lists of tokens only.
template <typename Visit>
constexpr void for_each_list_element(std::string_view list, Visit&& visit) {
  for (;;) {
    const std::size_t comma = list.find(',');
    visit(trim_ows(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

/// Whether a comma-separated list of tokens has `token`, in any case. "keep-alive, Upgrade" has "upgrade".
[[nodiscard]] bool list_has_token(std::string_view list, std::string_view token) noexcept;

/// An ordered view of header fields, duplicates kept. It owns nothing and is passed by value.
/// Names are compared byte by byte: fields from the parser are lower-case already, so is what
/// one asks for.
class HeadersView {
 public:
  HeadersView() = default;
  explicit(false) HeadersView(std::span<const Header> fields) noexcept : fields_(fields) {}

  [[nodiscard]] const Header* begin() const noexcept { return fields_.data(); }
  [[nodiscard]] const Header* end() const noexcept { return fields_.data() + fields_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
  [[nodiscard]] const Header& operator[](std::size_t index) const noexcept { return fields_[index]; }
  [[nodiscard]] std::span<const Header> span() const noexcept { return fields_; }

  /// The value of the first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept;
  /// How many field lines have that name.
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  /// Whether the list made of all lines of that name has `token` (RFC 9110 §5.3), in any case.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const noexcept;

  /// Calls `visit(std::string_view value)` for each field of that name, in order.
  template <typename Visit>
  void for_each(std::string_view name, Visit&& visit) const {
    for (const Header& field : fields_) {
      if (field.name == name) visit(field.value);
    }
  }

 private:
  std::span<const Header> fields_;
};

/// The value of the first field of that name in any case, as in headers that an application gives.
[[nodiscard]] std::optional<std::string_view> find_in_any_case(HeadersView headers,
                                                               std::string_view name) noexcept;

}  // namespace atlas::http
