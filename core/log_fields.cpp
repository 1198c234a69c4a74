#include <atlas/core/log_fields.hpp>

#include <algorithm>

namespace atlas::log {
namespace {

constexpr FiberLocal<BoundField> bound_fields;

constexpr std::array<std::string_view, 5> names_of_lines{"time", "level", "worker", "fiber", "message"};

bool may_be_in_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

std::string clean_name(std::string_view given) {
  std::string name(given.substr(0, field_name_bytes_max));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !may_be_in_name(c); }, '_');
  const bool taken = std::find(names_of_lines.begin(), names_of_lines.end(), name) != names_of_lines.end();
  if (name.empty() || taken) name += '_';
  return name;
}

bool is_within_character(std::string_view text, std::size_t at) noexcept {
  return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

std::string bounded_value(std::string_view given) {
  if (given.size() <= field_value_bytes_max) return std::string(given);
  std::size_t kept = field_value_bytes_max;
  while (kept > 0 && is_within_character(given, kept)) --kept;
  return std::string(given.substr(0, kept)) + "…";
}

}  // namespace

BoundField::BoundField(std::string_view given_name, std::string_view given_value)
    : name(clean_name(given_name)), value(bounded_value(given_value)), outer(bound_fields.get()) {}

FieldScope::FieldScope(std::string_view name, std::string_view value) : scope_(bound_fields, name, value) {}

FieldsHere::FieldsHere() noexcept {
  const auto* field = bound_fields.get();
  for (; field != nullptr && count_ < fields_max; field = field->outer) {
    if (has(field->name)) continue;
    ++count_;
    fields_[fields_max - count_] = {field->name, field->value};
  }
}

bool FieldsHere::has(std::string_view name) const noexcept {
  const auto fields = all();
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
}

}  // namespace atlas::log
