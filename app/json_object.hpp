// Writes a JSON object, member by member (RFC 8259). Small objects need no allocation.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string_view>

namespace atlas::app {

class JsonObject {
 public:
  /// Strings are UTF-8.
  JsonObject& add(std::string_view name, std::string_view value) {
    begin_member(name);
    append_string(value);
    return *this;
  }
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> JsonObject& add(std::string_view name,
                                                                                Number value) {
    begin_member(name);
    fmt::format_to(fmt::appender(text_), "{}", value);
    return *this;
  }

  /// A value that is JSON already: an array, an object, null.
  JsonObject& add_json(std::string_view name, std::string_view json);

  /// The whole object. Valid as long as this one, until a member is added.
  [[nodiscard]] std::string_view text() {
    if (!complete_) text_.append(std::string_view(text_.size() == 0 ? "{}" : "}"));
    complete_ = true;
    return {text_.data(), text_.size()};
  }

 private:
  void begin_member(std::string_view name);
  void append_string(std::string_view text);

  fmt::memory_buffer text_;
  bool complete_ = false;
};

}  // namespace atlas::app
