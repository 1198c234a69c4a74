#include <atlas/asgi/toolkit/describe.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace atlas::asgi {

std::optional<std::string> length::fault(const std::string& text) const {
  const auto characters =
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return fault_of(static_cast<std::size_t>(characters), "characters");
}

std::optional<std::string> length::fault_of(std::size_t size, std::string_view unit) const {
  if (size < min_) return fmt::format("has {} {}, but needs {}", size, unit, min_);
  if (size > max_) return fmt::format("has {} {}, but may have {}", size, unit, max_);
  return std::nullopt;
}

namespace described {

std::string Path::text() const {
  if (outer == nullptr) return std::string(name);
  return name.empty() ? fmt::format("{}[{}]", outer->text(), index)
                      : fmt::format("{}.{}", outer->text(), name);
}

// Of a body with very many faults, the first will do.
void add_error(Errors& errors, const Path& path, std::string message) {
  constexpr std::size_t errors_max = 100;
  if (errors.size() < errors_max) errors.push_back({path.text(), std::move(message)});
}

bool is_kind(bool right, const Json& json, std::string_view wanted, const Path& path, Errors& errors) {
  if (!right) add_error(errors, path, fmt::format("is {}, not {}", json.kind(), wanted));
  return right;
}

void read_bool(const Json& json, bool& into, const Path& path, Errors& errors) {
  if (is_kind(json.is_bool(), json, "true or false", path, errors)) into = json.boolean();
}

void read_text(const Json& json, std::string& into, const Path& path, Errors& errors) {
  if (is_kind(json.is_text(), json, "text", path, errors)) into = json.text();
}

void read_double(const Json& json, double& into, const Path& path, Errors& errors) {
  if (is_kind(json.is_number(), json, "a number", path, errors)) into = json.number();
}

std::optional<std::int64_t> read_integer(const Json& json, std::int64_t min, std::int64_t max,
                                         const Path& path, Errors& errors) {
  if (!is_kind(json.is_number(), json, "a whole number", path, errors)) return std::nullopt;
  const auto number = json.integer();
  if (number && *number >= min && *number <= max) return number;
  add_error(errors, path, fmt::format("is not a whole number from {} to {}", min, max));
  return std::nullopt;
}

std::optional<std::uint64_t> read_unsigned(const Json& json, std::uint64_t max, const Path& path,
                                           Errors& errors) {
  if (!is_kind(json.is_number(), json, "a whole number", path, errors)) return std::nullopt;
  const auto number = json.unsigned_integer();
  if (number && *number <= max) return number;
  add_error(errors, path, fmt::format("is not a whole number from 0 to {}", max));
  return std::nullopt;
}

void write_json(JsonWriter& json, const Json& value) { json.raw(value.to_text()); }

}  // namespace described
}  // namespace atlas::asgi
