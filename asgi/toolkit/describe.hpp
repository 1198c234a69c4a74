// Structs that say what they consist of, so that JSON is read into them, checked, and written from them:
//
//   struct NewNote {
//     std::string title;
//     int stars = 0;
//     std::optional<std::string> colour;
//     std::vector<std::string> tags;
//
//     template <class Self, class Fields>
//     static void describe(Self& self, Fields& field) {
//       field("title", self.title, length(1, 200));
//       field("stars", self.stars, with_default, between(0, 5));
//       field("colour", self.colour);
//       field("tags", self.tags, with_default, length(0, 10));
//     }
//   };
//
// A member is bool, a number, text, Json, a described struct, a type with a TextValue (an enumeration, say),
// or an optional, a vector or a map by text of any of these. One that is neither optional nor has its default
// must be there.
#pragma once

#include <atlas/asgi/toolkit/http_error.hpp>
#include <atlas/asgi/toolkit/json.hpp>
#include <atlas/asgi/toolkit/json_writer.hpp>
#include <atlas/asgi/toolkit/request.hpp>
#include <atlas/asgi/toolkit/text_value.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace atlas::asgi {

// ---- what a value must be ----

/// The member keeps what it has when the object does not have it.
struct WithDefault {};
inline constexpr WithDefault with_default;

/// Of text in characters (code points), of an array in elements.
class length {  // NOLINT(readability-identifier-naming): reads as a function
 public:
  constexpr length(std::size_t min, std::size_t max) noexcept : min_(min), max_(max) {}
  [[nodiscard]] std::optional<std::string> fault(const std::string& text) const;
  template <class T>
  [[nodiscard]] std::optional<std::string> fault(const std::vector<T>& elements) const {
    return fault_of(elements.size(), "elements");
  }

 private:
  [[nodiscard]] std::optional<std::string> fault_of(std::size_t size, std::string_view unit) const;
  std::size_t min_;
  std::size_t max_;
};

/// Both inclusive.
template <class Number>
class between {  // NOLINT(readability-identifier-naming)
 public:
  constexpr between(Number min, Number max) noexcept : min_(min), max_(max) {}
  template <class T>
  [[nodiscard]] std::optional<std::string> fault(T number) const {
    if (number >= min_ && number <= max_) return std::nullopt;
    return "is not in " + std::to_string(min_) + " to " + std::to_string(max_);
  }

 private:
  Number min_;
  Number max_;
};

/// Whatever `holds(value)` says; `message` continues the name: "is not a colour".
template <class Holds>
class checked {  // NOLINT(readability-identifier-naming)
 public:
  constexpr checked(Holds holds, std::string_view message) : holds_(std::move(holds)), message_(message) {}
  template <class T>
  [[nodiscard]] std::optional<std::string> fault(const T& value) const {
    if (holds_(value)) return std::nullopt;
    return std::string(message_);
  }

 private:
  Holds holds_;
  std::string_view message_;
};

// ---- who is described ----

namespace described {

struct Probe {
  template <class Member, class... Rules>
  void operator()(std::string_view, Member&, const Rules&...) {}
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {
  using Element = T;
};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class T>
concept Describing = requires(T& self, Probe& probe) {
  T::describe(self, probe);
};

}  // namespace described

template <class T>
concept Described = described::Describing<T>;

/// A described struct, or a vector of them.
template <class T>
concept DescribedBody = Described<T> ||
    (described::IsVector<T>::value&& Described<typename described::IsVector<T>::Element>);

// ---- reading ----

namespace described {

/// Where a value lies, from its own name outwards.
struct Path {
  const Path* outer = nullptr;
  std::string_view name = {};
  std::size_t index = 0;  // of an array's element, which has no name

  [[nodiscard]] std::string text() const;
};

using Errors = std::vector<FieldError>;

void add_error(Errors& errors, const Path& path, std::string message);
void read_bool(const Json& json, bool& into, const Path& path, Errors& errors);
void read_text(const Json& json, std::string& into, const Path& path, Errors& errors);
void read_double(const Json& json, double& into, const Path& path, Errors& errors);
[[nodiscard]] std::optional<std::int64_t> read_integer(const Json& json, std::int64_t min, std::int64_t max,
                                                       const Path& path, Errors& errors);
[[nodiscard]] std::optional<std::uint64_t> read_unsigned(const Json& json, std::uint64_t max,
                                                         const Path& path, Errors& errors);
[[nodiscard]] bool is_kind(bool right, const Json& json, std::string_view wanted, const Path& path,
                           Errors& errors);

template <class T>
void read(const Json& json, T& into, const Path& path, Errors& errors);

/// The fields of one object.
class Reader {
 public:
  Reader(const Json& json, const Path& path, Errors& errors) noexcept
      : json_(json), path_(path), errors_(errors) {}

  template <class Member, class... Rules>
  void operator()(std::string_view name, Member& member, const Rules&... rules) {
    const Path path{&path_, name};
    const auto* value = json_.find(name);
    if (value == nullptr) return missing<Member, Rules...>(path);
    const auto errors_before = errors_.size();
    read(*value, member, path, errors_);
    if (errors_.size() == errors_before) (check(member, rules, path), ...);
  }

 private:
  template <class Member, class... Rules>
  void missing(const Path& path) {
    constexpr bool may_be = IsOptional<Member>::value || (std::is_same_v<Rules, WithDefault> || ...);
    if constexpr (!may_be) add_error(errors_, path, "is missing");
  }

  template <class Member>
  void check(const Member&, WithDefault, const Path&) {}
  template <class Member, class Rule>
  void check(const Member& member, const Rule& rule, const Path& path) {
    if constexpr (IsOptional<Member>::value) {
      if (member) check(*member, rule, path);
    } else if (auto fault = rule.fault(member)) {
      add_error(errors_, path, *std::move(fault));
    }
  }

  const Json& json_;
  const Path& path_;
  Errors& errors_;
};

template <class Number>
void read_number(const Json& json, Number& into, const Path& path, Errors& errors) {
  using Limits = std::numeric_limits<Number>;
  if constexpr (std::is_floating_point_v<Number>) {
    double number = 0;
    read_double(json, number, path, errors);
    into = static_cast<Number>(number);
  } else if constexpr (std::is_signed_v<Number>) {
    if (const auto number = read_integer(json, Limits::min(), Limits::max(), path, errors))
      into = static_cast<Number>(*number);
  } else {
    if (const auto number = read_unsigned(json, Limits::max(), path, errors))
      into = static_cast<Number>(*number);
  }
}

template <class T>
void read_elements(const Json& json, std::vector<T>& into, const Path& path, Errors& errors) {
  if (!is_kind(json.is_array(), json, "an array", path, errors)) return;
  into.clear();
  for (const auto& element : json.elements()) {
    T value{};
    read(element, value, Path{&path, {}, into.size()}, errors);
    into.push_back(std::move(value));
  }
}

template <class T>
void read_members(const Json& json, std::map<std::string, T>& into, const Path& path, Errors& errors) {
  if (!is_kind(json.is_object(), json, "an object", path, errors)) return;
  into.clear();
  for (const auto& [name, member] : json.members()) read(member, into[name], Path{&path, name}, errors);
}

template <class T>
void read_from_text(const Json& json, T& into, const Path& path, Errors& errors) {
  auto value = json.is_text() ? TextValue<T>::parse(json.text()) : std::nullopt;
  if (!value) return add_error(errors, path, "is not " + std::string(TextValue<T>::expected));
  into = *std::move(value);
}

template <class T>
void read(const Json& json, T& into, const Path& path, Errors& errors) {
  if constexpr (std::is_same_v<T, Json>) {
    into = json;
  } else if constexpr (std::is_same_v<T, bool>) {
    read_bool(json, into, path, errors);
  } else if constexpr (std::is_arithmetic_v<T>) {
    read_number(json, into, path, errors);
  } else if constexpr (std::is_same_v<T, std::string>) {
    read_text(json, into, path, errors);
  } else if constexpr (IsOptional<T>::value) {
    if (json.is_null()) return into.reset();
    read(json, into.emplace(), path, errors);
  } else if constexpr (IsVector<T>::value) {
    read_elements(json, into, path, errors);
  } else if constexpr (IsMap<T>::value) {
    read_members(json, into, path, errors);
  } else if constexpr (Describing<T>) {
    if (!is_kind(json.is_object(), json, "an object", path, errors)) return;
    Reader reader(json, path, errors);
    T::describe(into, reader);
  } else {
    static_assert(FromText<T>,
                  "a described member is bool, a number, text, Json, a described struct, a type with an "
                  "atlas::asgi::TextValue, or an optional, vector or map by text of these");
    read_from_text(json, into, path, errors);
  }
}

}  // namespace described

/// A T out of JSON; `source` begins the names in errors. Throws ValidationError with all that is wrong.
template <class T>
[[nodiscard]] T read_json(const Json& json, std::string_view source = "body") {
  T value{};
  described::Errors errors;
  described::read(json, value, described::Path{nullptr, source}, errors);
  if (!errors.empty()) throw ValidationError(std::move(errors));
  return value;
}

template <class T>
T Request::json() {
  return read_json<T>(json());
}

// ---- writing ----

namespace described {

template <class T>
void write(JsonWriter& json, const T& value);

class Writer {
 public:
  explicit Writer(JsonWriter& json) noexcept : json_(json) {}

  template <class Member, class... Rules>
  void operator()(std::string_view name, const Member& member, const Rules&...) {
    json_.name(name);
    write(json_, member);
  }

 private:
  JsonWriter& json_;
};

template <class T>
void write_struct(JsonWriter& json, const T& value) {
  json.begin_object();
  Writer writer(json);
  T::describe(value, writer);
  json.end_object();
}

void write_json(JsonWriter& json, const Json& value);

template <class T>
void write(JsonWriter& json, const T& value) {
  if constexpr (std::is_same_v<T, Json>) {
    write_json(json, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    json.boolean(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    json.number(double{value});
  } else if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
    json.number(std::int64_t{value});
  } else if constexpr (std::is_integral_v<T>) {
    json.number(std::uint64_t{value});
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    json.text(value);
  } else if constexpr (IsOptional<T>::value) {
    value ? write(json, *value) : json.null();
  } else if constexpr (IsVector<T>::value) {
    json.begin_array();
    for (const auto& element : value) write(json, element);
    json.end_array();
  } else if constexpr (IsMap<T>::value) {
    json.begin_object();
    for (const auto& [name, member] : value) json.name(name), write(json, member);
    json.end_object();
  } else if constexpr (Describing<const T>) {
    write_struct(json, value);
  } else {
    json.text(TextValue<T>::to_text(value));
  }
}

}  // namespace described

/// Without a Json in between. Throws std::invalid_argument as JsonWriter does.
template <class T>
[[nodiscard]] std::string write_json(const T& value) {
  std::string text;
  JsonWriter writer(text);
  described::write(writer, value);
  return text;
}

/// "application/json", of a described struct or a vector of them.
template <DescribedBody Body>
[[nodiscard]] Response json(const Body& body, int status = 200) {
  return content("application/json", write_json(body), status);
}
template <DescribedBody Body>
[[nodiscard]] Response to_response(const Body& body) {
  return json(body);
}

}  // namespace atlas::asgi
