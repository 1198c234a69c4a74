#include <atlas/app/json_object.hpp>

#include <atlas/core/assert.hpp>

namespace atlas::app {

void JsonObject::begin_member(std::string_view name) {
  ATLAS_ASSERT(!complete_, "a member was added to a JSON object that is complete");
  text_.push_back(text_.size() == 0 ? '{' : ',');
  append_string(name);
  text_.push_back(':');
}

JsonObject& JsonObject::add_json(std::string_view name, std::string_view json) {
  begin_member(name);
  text_.append(json);
  return *this;
}

void JsonObject::append_string(std::string_view text) {
  text_.push_back('"');
  for (const char character : text) {
    if (character == '"' || character == '\\') {
      text_.push_back('\\');
      text_.push_back(character);
    } else if (static_cast<unsigned char>(character) < 0x20) {
      fmt::format_to(fmt::appender(text_), "\\u{:04x}", character);
    } else {
      text_.push_back(character);
    }
  }
  text_.push_back('"');
}

}  // namespace atlas::app
