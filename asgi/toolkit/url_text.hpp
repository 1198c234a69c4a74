// Texts as they stand in queries and forms (WHATWG URL, application/x-www-form-urlencoded): pairs between
// ampersands, percent-encoded.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// Decodes "%C3%A9+a" to "é a". Nothing when an escape is malformed, or the outcome is not UTF-8 or has a
/// NUL.
[[nodiscard]] std::optional<std::string> decode_form_text(std::string_view text);
/// The other way round. Letters, digits and "-._~" stay.
[[nodiscard]] std::string encode_form_text(std::string_view text);

/// Names and values in their order; names may come again.
class FormPairs {
 public:
  struct Item {
    std::string_view name;
    std::string_view value;
  };
  static constexpr std::size_t count_max = 1000;

  FormPairs() = default;
  FormPairs(const FormPairs&) = delete;
  FormPairs& operator=(const FormPairs&) = delete;

  /// Replaces what was there. Values are views of `text` where nothing is encoded. Throws HttpError that
  /// names `what`, "the query" for instance: 400 when something cannot be decoded, `too_many` when there are
  /// more than `pairs_max`.
  void parse(std::string_view text, std::string_view what, std::size_t pairs_max = count_max,
             int too_many = 400);

  /// The first value of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] auto begin() const noexcept { return items_.begin(); }
  [[nodiscard]] auto end() const noexcept { return items_.end(); }

 private:
  [[nodiscard]] std::string_view decoded(std::string_view text, std::string_view what);

  std::vector<Item> items_;
  std::deque<std::string> decoded_;
};

}  // namespace atlas::asgi
