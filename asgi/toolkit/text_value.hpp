// Values of a type out of text that a client has sent: path, query, header, cookie and form values. Knows
// nothing of where the text comes from.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::asgi {

/// How a T is read from text: `parse` gives nothing when the text is none, and then the client is told that
/// its value `is not <expected>`. Specialise it for types of your own:
///
///   template <>
///   struct atlas::asgi::TextValue<Colour> {
///     static std::optional<Colour> parse(std::string_view text);
///     static constexpr std::string_view expected = "one of red, green, blue";
///   };
template <class T>
struct TextValue;

template <class T>
concept FromText = requires(std::string_view text) {
  { TextValue<T>::parse(text) } -> std::same_as<std::optional<T>>;
  { TextValue<T>::expected } -> std::convertible_to<std::string_view>;
};

/// Calls `refuse(expected)`, which throws, for a text that is no T. What T may be is said by the compiler.
template <class T, class Refuse>
[[nodiscard]] T value_of_text(std::string_view text, Refuse refuse) {
  static_assert(FromText<T>,
                "Atlas reads bool, numbers and text out of text, and types for which there is an "
                "atlas::asgi::TextValue<T>");
  if constexpr (FromText<T>) {
    auto value = TextValue<T>::parse(text);
    if (!value) refuse(TextValue<T>::expected);
    return *std::move(value);
  }
}

template <>
struct TextValue<std::string_view> {
  static std::optional<std::string_view> parse(std::string_view text) { return text; }
  static constexpr std::string_view expected = "text";
};

template <>
struct TextValue<std::string> {
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
  static constexpr std::string_view expected = "text";
};

/// All of the text, in decimal, without a plus sign or white space.
template <std::integral Number>
struct TextValue<Number> {
  static std::optional<Number> parse(std::string_view text) {
    Number number{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
    return number;
  }
  static constexpr std::string_view expected =
      std::signed_integral<Number> ? "a whole number in range" : "a whole number from 0 on, in range";
};

/// A finite number.
template <>
struct TextValue<double> {
  static std::optional<double> parse(std::string_view text);
  static constexpr std::string_view expected = "a number";
};

/// "true" or "1", "false" or "0".
template <>
struct TextValue<bool> {
  static std::optional<bool> parse(std::string_view text);
  static constexpr std::string_view expected = "true or false";
};

}  // namespace atlas::asgi
