#include <atlas/asgi/toolkit/json.hpp>

#include <atlas/asgi/toolkit/json_writer.hpp>
#include <atlas/asgi/toolkit/request.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_set>

namespace atlas::asgi {
namespace {

/// Where in a text an offset lies.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

Place place_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto last_break = before.rfind('\n');
  return {1 + static_cast<std::size_t>(std::ranges::count(before, '\n')),
          last_break == std::string_view::npos ? offset + 1 : offset - last_break};
}

/// Characters on their way to the reader, which does not say how far it has come when it is stopped.
class Watched {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;    // NOLINT(readability-identifier-naming): the standard's name
  using reference = const char&;  // NOLINT(readability-identifier-naming)

  Watched(const char* at, const char*& reached) noexcept : at_(at), reached_(&reached) {}
  reference operator*() const noexcept { return *at_; }
  Watched& operator++() noexcept {
    *reached_ = at_++;
    return *this;
  }
  Watched operator++(int) noexcept {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Watched& left, const Watched& right) noexcept { return left.at_ == right.at_; }

 private:
  const char* at_;
  const char** reached_;  // the last that was read
};

void drop_through(std::string_view& text, std::string_view mark) {
  if (const auto found = text.find(mark); found != std::string_view::npos)
    text.remove_prefix(found + mark.size());
}

/// Of the reader's text, what is wrong: without where it is, and without what was read, which is not ours to
/// repeat.
/// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error; last read: 'x'"
std::string reason_in(std::string_view text) {
  drop_through(text, "] ");
  if (text.starts_with("parse error at ")) drop_through(text, ": ");
  return std::string(text.substr(0, text.find("; last read")));
}

/// Builds a value out of what the reader reports. False stops the reader; `fault` says why.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& text) override { return add(std::move(text)); }
  bool binary(nlohmann::json::binary_t&) override { return fail("binary data"); }
  bool key(std::string& name) override {
    auto& object = open_.back();
    object.name = std::move(name);
    return !is_repeated(object) || fail("a name that the object has already");
  }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    return fail(reason_in(error.what()));
  }

  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  [[nodiscard]] Json take() { return std::move(root_); }

 private:
  /// An array or object that is not complete yet.
  struct Open {
    Json value;
    std::string name = {};                       // of the member that comes next
    std::unordered_set<std::string> names = {};  // of an object that has many
  };

  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto& parent = open_.back(); parent.value.is_array()) {
      parent.value.elements().push_back(std::move(value));
    } else {
      parent.value.members().emplace_back(std::move(parent.name), std::move(value));
    }
    return true;
  }

  bool open(Json value) {
    if (open_.size() == limits_.depth_max) return fail("too many arrays and objects within one another");
    open_.push_back({std::move(value)});
    return true;
  }

  bool close() {
    auto value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  // Looking through few is cheaper than to remember them; looking through many, for each, is what an attacker
  // wants.
  [[nodiscard]] static bool is_repeated(Open& object) {
    constexpr std::size_t few = 16;
    const auto& members = object.value.members();
    if (members.size() < few) return object.value.find(object.name) != nullptr;
    if (object.names.empty()) {
      for (const auto& [name, value] : members) object.names.insert(name);
    }
    return !object.names.insert(object.name).second;
  }

  bool fail(std::string fault) {
    fault_ = std::move(fault);
    return false;
  }

  const JsonLimits& limits_;
  std::vector<Open> open_;
  Json root_;
  std::string fault_;
};

/// Writes `json` by its own stack, not by the thread's, however deep it is.
class Walk {
 public:
  explicit Walk(JsonWriter& writer) : writer_(writer) {}

  void write(const Json& json) {
    begin(json);
    while (!open_.empty()) step();
  }

 private:
  struct Open {
    const Json* json;
    std::size_t next = 0;
  };

  void step() {
    auto& [json, next] = open_.back();
    if (next == json->size()) {
      json->is_array() ? writer_.end_array() : writer_.end_object();
      open_.pop_back();
      return;
    }
    const auto index = next++;
    if (json->is_array()) return begin(json->elements()[index]);
    const auto& [name, value] = json->members()[index];
    writer_.name(name);
    begin(value);
  }

  void begin(const Json& json) {
    if (json.is_array() || json.is_object()) {
      json.is_array() ? writer_.begin_array() : writer_.begin_object();
      open_.push_back({&json});
    } else if (json.is_null()) {
      writer_.null();
    } else if (json.is_bool()) {
      writer_.boolean(json.boolean());
    } else if (json.is_text()) {
      writer_.text(json.text());
    } else {
      number(json);
    }
  }

  void number(const Json& json) {
    if (const auto integer = json.integer(); integer && json.is_integer()) return writer_.number(*integer);
    if (json.is_integer()) return writer_.number(*json.unsigned_integer());
    writer_.number(json.number());
  }

  JsonWriter& writer_;
  std::vector<Open> open_;
};

/// "application/json" or "application/….+json", with whatever parameters.
bool is_json_type(std::string_view type) {
  const auto essence = http::trim_ows(type.substr(0, type.find(';')));
  constexpr std::string_view json = "application/json";
  constexpr std::string_view suffix = "+json";
  return http::iequals(essence, json) ||
         (essence.size() > suffix.size() &&
          http::iequals(essence.substr(essence.size() - suffix.size()), suffix));
}

}  // namespace

JsonError::JsonError(std::size_t line, std::size_t column, const std::string& why)
    : std::runtime_error(fmt::format("line {}, column {}: {}", line, column, why)),
      line_(line),
      column_(column) {}

Json::Json(std::initializer_list<std::pair<std::string_view, Json>> members) : value_(Object()) {
  auto& object = std::get<Object>(value_);
  for (const auto& [name, value] : members) object.emplace_back(name, value);
}

// What is inside is moved out first, level by level, so that no destructor has another's to call.
Json::Json() noexcept = default;
Json::Json(std::nullptr_t) noexcept {}
Json::Json(Unsigned given) noexcept
    : value_(given.number <= static_cast<std::uint64_t>(INT64_MAX)
                 ? Value(static_cast<std::int64_t>(given.number))
                 : Value(given.number)) {}
Json::Json(double number) noexcept : value_(number) {}
Json::Json(std::string text) noexcept : value_(std::move(text)) {}
Json::Json(std::string_view text) : value_(std::string(text)) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(Array elements) noexcept : value_(std::move(elements)) {}

Json Json::object(Object members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}
Json Json::array(Array elements) { return Json(std::move(elements)); }

Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;

bool operator==(const Json& left, const Json& right) { return left.value_ == right.value_; }

template <class T>
const T& Json::get(std::string_view wanted) const {
  if (const auto* held = std::get_if<T>(&value_)) return *held;
  refuse(wanted);
}

bool Json::boolean() const { return get<bool>("true or false"); }
const std::string& Json::text() const { return get<std::string>("text"); }
const Json::Array& Json::elements() const { return get<Array>("an array"); }
Json::Array& Json::elements() { return const_cast<Array&>(std::as_const(*this).elements()); }
const Json::Object& Json::members() const { return get<Object>("an object"); }
Json::Object& Json::members() { return const_cast<Object&>(std::as_const(*this).members()); }

Json::~Json() {
  if (size() == 0) return;
  std::vector<Json> inside;
  const auto empty = [&](Json& json) {
    if (auto* array = std::get_if<Array>(&json.value_)) {
      for (auto& element : *array) {
        if (element.size() > 0) inside.push_back(std::move(element));
      }
    } else if (auto* object = std::get_if<Object>(&json.value_)) {
      for (auto& [name, value] : *object) {
        if (value.size() > 0) inside.push_back(std::move(value));
      }
    }
  };
  empty(*this);
  while (!inside.empty()) {
    auto json = std::move(inside.back());
    inside.pop_back();
    empty(json);
  }
}

Json Json::parse(std::string_view text, const JsonLimits& limits) {
  const char* reached = text.data();
  const auto fail = [&](const std::string& why) {
    const auto [line, column] = place_of(text, static_cast<std::size_t>(reached - text.data()));
    throw JsonError(line, column, why);
  };
  if (text.starts_with("\xef\xbb\xbf")) fail("a byte order mark");
  if (const auto nul = text.find('\0');
      nul != std::string_view::npos) {  // which the reader takes for the end
    reached += nul;
    fail("a NUL");
  }
  Builder builder(limits);
  const auto* const end = text.data() + text.size();
  if (!nlohmann::json::sax_parse(Watched(text.data(), reached), Watched(end, reached), &builder))
    fail(builder.fault());
  return builder.take();
}

std::string_view Json::kind() const noexcept {
  constexpr std::string_view kinds[] = {"null",     "true or false", "a whole number", "a whole number",
                                        "a number", "text",          "an array",       "an object"};
  return kinds[value_.index()];
}

std::optional<std::int64_t> Json::integer() const noexcept {
  if (const auto* number = std::get_if<std::int64_t>(&value_)) return *number;
  constexpr double beyond = 9223372036854775808.0;  // 2^63
  const auto* number = std::get_if<double>(&value_);
  if (number == nullptr || std::trunc(*number) != *number || *number < -beyond || *number >= beyond)
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<std::uint64_t> Json::unsigned_integer() const noexcept {
  if (const auto* number = std::get_if<std::uint64_t>(&value_)) return *number;
  const auto number = integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

double Json::number() const {
  if (const auto* held = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*held);
  if (const auto* held = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*held);
  return get<double>("a number");
}

const Json* Json::find(std::string_view name) const noexcept {
  const auto* object = std::get_if<Object>(&value_);
  if (object == nullptr) return nullptr;
  const auto found =
      std::ranges::find_if(*object, [&](const Member& member) { return member.first == name; });
  return found == object->end() ? nullptr : &found->second;
}

Json& Json::operator[](std::string_view name) {
  if (is_null()) value_ = Object();
  if (const auto* found = find(name)) return const_cast<Json&>(*found);
  return members().emplace_back(name, Json()).second;
}

void Json::push_back(Json element) {
  if (is_null()) value_ = Array();
  elements().push_back(std::move(element));
}

std::size_t Json::size() const noexcept {
  if (const auto* array = std::get_if<Array>(&value_)) return array->size();
  if (const auto* object = std::get_if<Object>(&value_)) return object->size();
  return 0;
}

std::string Json::to_text() const {
  std::string text;
  JsonWriter writer(text);
  Walk(writer).write(*this);
  return text;
}

std::string Json::to_pretty_text() const {
  std::string text;
  JsonWriter writer(text, JsonWriter::Layout::pretty);
  Walk(writer).write(*this);
  return text;
}

void Json::refuse(std::string_view wanted) const {
  throw std::logic_error(fmt::format("a JSON value is {}, not {}", kind(), wanted));
}

Json Request::json() {
  if (const auto type = scope_.headers.find("content-type"); type && !is_json_type(*type))
    throw HttpError(415, "the body is to be application/json", {{"accept", "application/json"}});
  try {
    return Json::parse(body());
  } catch (const JsonError& error) {
    throw HttpError(400, fmt::format("the body is no JSON: {}", error.what()));
  }
}

Response json(const Json& value, int status) { return content("application/json", value.to_text(), status); }

Response to_response(const Json& value) { return json(value); }

}  // namespace atlas::asgi
