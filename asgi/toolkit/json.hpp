// JSON (RFC 8259): a value of any kind, read and written strictly. nlohmann's parser does the reading, out of
// sight of this header.
#pragma once

#include <atlas/asgi/toolkit/response.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace atlas::asgi {

struct JsonLimits {
  std::size_t depth_max = 64;  ///< Of arrays and objects within one another.
};

/// What was read is no JSON: where and why, in one line.
class JsonError : public std::runtime_error {
 public:
  JsonError(std::size_t line, std::size_t column, const std::string& why);

  [[nodiscard]] std::size_t line() const noexcept { return line_; }      ///< From 1.
  [[nodiscard]] std::size_t column() const noexcept { return column_; }  ///< In bytes, from 1.

 private:
  std::size_t line_;
  std::size_t column_;
};

/// A value: null, true or false, a number, text, an array or an object. Members of an object keep their
/// order.
///
///   Json note{{"title", "Milk"}, {"done", false}, {"tags", Json::Array{"shop", "soon"}}};
///   note["stars"] = 5;
///   if (const auto* title = note.find("title")) use(title->text());
class Json {
 public:
  using Member = std::pair<std::string, Json>;
  using Array = std::vector<Json>;
  /// In the order in which they were added.
  using Object = std::vector<Member>;

  Json() noexcept;
  Json(std::nullptr_t) noexcept;
  template <class Bool>
  requires std::same_as<Bool, bool> Json(Bool value)
  noexcept : value_(std::in_place_type<bool>, value) {}
  template <std::signed_integral Number>
  Json(Number number) noexcept : value_(std::in_place_type<std::int64_t>, number) {}
  template <std::unsigned_integral Number>
  requires(!std::same_as<Number, bool>) Json(Number number)
  noexcept : Json(Unsigned{number}) {}
  Json(double number) noexcept;
  Json(std::string text) noexcept;
  Json(std::string_view text);
  Json(const char* text);
  Json(Array elements) noexcept;
  Json(std::initializer_list<std::pair<std::string_view, Json>> members);
  [[nodiscard]] static Json object(Object members = {});
  [[nodiscard]] static Json array(Array elements = {});

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  /// However deep it is, without using more of the stack.
  ~Json();

  /// Throws JsonError: for what is no JSON, is not UTF-8, is deeper than allowed, or has a name twice in one
  /// object.
  [[nodiscard]] static Json parse(std::string_view text, const JsonLimits& limits = {});

  [[nodiscard]] bool is_null() const noexcept { return value_.index() == 0; }
  [[nodiscard]] bool is_bool() const noexcept { return std::holds_alternative<bool>(value_); }
  /// A whole number that was written without a point or an exponent.
  [[nodiscard]] bool is_integer() const noexcept { return is<std::int64_t>() || is<std::uint64_t>(); }
  [[nodiscard]] bool is_number() const noexcept { return is_integer() || is<double>(); }
  [[nodiscard]] bool is_text() const noexcept { return is<std::string>(); }
  [[nodiscard]] bool is_array() const noexcept { return is<Array>(); }
  [[nodiscard]] bool is_object() const noexcept { return is<Object>(); }
  /// "an array", "text" and so on.
  [[nodiscard]] std::string_view kind() const noexcept;

  // All of these throw std::logic_error for a value of another kind: what comes from a client is better read
  // into a described struct, or asked before.
  [[nodiscard]] bool boolean() const;
  /// Nothing when it is no whole number from -2^63 to 2^63 - 1.
  [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
  /// Nothing when it is no whole number from 0 to 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> unsigned_integer() const noexcept;
  /// Of any number.
  [[nodiscard]] double number() const;
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] const Array& elements() const;
  [[nodiscard]] Array& elements();
  [[nodiscard]] const Object& members() const;
  [[nodiscard]] Object& members();

  /// The member of that name; null when there is none, and when this is no object. Looks through all of them.
  [[nodiscard]] const Json* find(std::string_view name) const noexcept;
  /// The same, made when it is not there; of a null, which becomes an object, or of an object.
  Json& operator[](std::string_view name);
  /// Appends to an array, or to a null, which becomes one.
  void push_back(Json element);
  /// Elements or members; 0 for any other kind.
  [[nodiscard]] std::size_t size() const noexcept;

  /// Throws std::invalid_argument when there is an infinite number or none, or text that is not UTF-8.
  [[nodiscard]] std::string to_text() const;
  /// On many lines, by two spaces.
  [[nodiscard]] std::string to_pretty_text() const;

  friend bool operator==(const Json& left, const Json& right);

 private:
  using Value =
      std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

  template <class T>
  [[nodiscard]] bool is() const noexcept {
    return std::holds_alternative<T>(value_);
  }
  /// What fits into a signed number is one.
  struct Unsigned {
    std::uint64_t number;
  };
  explicit Json(Unsigned given) noexcept;
  template <class T>
  [[nodiscard]] const T& get(std::string_view wanted) const;
  [[noreturn]] void refuse(std::string_view wanted) const;

  Value value_;
};

/// "application/json".
[[nodiscard]] Response json(const Json& value, int status = 200);
[[nodiscard]] Response to_response(const Json& value);

}  // namespace atlas::asgi
