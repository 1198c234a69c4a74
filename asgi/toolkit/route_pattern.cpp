#include <atlas/asgi/toolkit/route_pattern.hpp>

#include <atlas/asgi/static_path.hpp>
#include <atlas/asgi/toolkit/path_parameters.hpp>
#include <atlas/asgi/toolkit/text_value.hpp>
#include <atlas/http/characters.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace atlas::asgi {
namespace {

template <class T>
bool is_value(std::string_view text) noexcept {
  return TextValue<T>::parse(text).has_value();
}

bool is_hex(char c) noexcept { return http::hex_value(c) >= 0; }

bool is_uuid(std::string_view text) noexcept {
  constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == '-' ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_name(std::string_view text) noexcept {
  const auto may_begin = [](char c) { return c == '_' || http::is_letter(c); };
  return !text.empty() && may_begin(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return may_begin(c) || http::is_digit(c); });
}

class Parser {
 public:
  Parser(std::string_view text, const Converters& converters) : text_(text), converters_(converters) {}

  [[nodiscard]] RoutePattern parse() {
    if (!text_.starts_with('/')) fail("does not begin with a slash");
    for (auto rest = text_.substr(1);;) {
      const auto slash = rest.find('/');
      add(rest.substr(0, slash));
      if (slash == std::string_view::npos) break;
      rest.remove_prefix(slash + 1);
    }
    check_names();
    return std::move(pattern_);
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw BadPattern(fmt::format("route '{}' {}", text_, why));
  }

  void add(std::string_view text) {
    if (!pattern_.segments.empty() && pattern_.segments.back().kind == PatternSegment::Kind::rest)
      fail("goes on behind a rest of the path");
    pattern_.segments.push_back(segment_of(text));
  }

  [[nodiscard]] PatternSegment segment_of(std::string_view text) const {
    const auto open = text.find('{');
    const auto close = text.find('}');
    if (open == std::string_view::npos && close == std::string_view::npos)
      return {.kind = PatternSegment::Kind::literal, .prefix = std::string(text)};
    if (open == std::string_view::npos || close == std::string_view::npos || close < open)
      fail("has braces that do not match");
    if (text.find_first_of("{}", close + 1) != std::string_view::npos ||
        text.substr(open + 1, close - open - 1).find('{') != std::string_view::npos)
      fail("has two parameters between two slashes");
    return parameter(text.substr(0, open), text.substr(open + 1, close - open - 1), text.substr(close + 1));
  }

  [[nodiscard]] PatternSegment parameter(std::string_view prefix, std::string_view inside,
                                         std::string_view suffix) const {
    const auto colon = inside.find(':');
    PatternSegment segment{.kind = PatternSegment::Kind::parameter,
                           .prefix = std::string(prefix),
                           .suffix = std::string(suffix),
                           .name = std::string(inside.substr(0, colon))};
    if (!is_name(segment.name)) fail(fmt::format("has a parameter whose name is '{}'", segment.name));
    if (colon == std::string_view::npos) return segment;
    segment.converter_name = inside.substr(colon + 1);
    if (segment.converter_name == "path") {
      if (!prefix.empty() || !suffix.empty())
        fail("has a rest of the path that is not alone between its slashes");
      segment.kind = PatternSegment::Kind::rest;
      return segment;
    }
    segment.converter = converters_.find(segment.converter_name);
    if (segment.converter == nullptr)
      fail(fmt::format("has an unknown converter, '{}'", segment.converter_name));
    return segment;
  }

  void check_names() {
    auto& names = pattern_.names;
    for (const auto& segment : pattern_.segments) {
      if (segment.kind == PatternSegment::Kind::literal) continue;
      if (std::ranges::find(names, segment.name) != names.end())
        fail(fmt::format("has two parameters named '{}'", segment.name));
      names.push_back(segment.name);
    }
    if (names.size() > PathParameters::count_max)
      fail(fmt::format("has more than {} parameters", PathParameters::count_max));
    pattern_.text = text_;
  }

  std::string_view text_;
  const Converters& converters_;
  RoutePattern pattern_;
};

void append_value(std::string& path, const PatternSegment& segment, std::string_view value) {
  const bool fits = segment.kind == PatternSegment::Kind::rest ||
                    (!value.empty() && value.find('/') == std::string_view::npos &&
                     (segment.converter == nullptr || segment.converter(value)));
  if (!fits) {
    throw std::invalid_argument(fmt::format("'{}' cannot be the path parameter '{}'{}{}", value, segment.name,
                                            segment.converter_name.empty() ? "" : ":",
                                            segment.converter_name));
  }
  path += escaped_path(value);
}

}  // namespace

Converters::Converters() {
  add("str", [](std::string_view) noexcept { return true; });
  add("int", is_value<std::int64_t>);
  add("uint", is_value<std::uint64_t>);
  add("float", is_value<double>);
  add("uuid", is_uuid);
}

void Converters::add(std::string name, Converter converter) {
  converters_.insert_or_assign(std::move(name), converter);
}

Converter Converters::find(std::string_view name) const {
  const auto found = converters_.find(name);
  return found == converters_.end() ? nullptr : found->second;
}

RoutePattern parse_pattern(std::string_view text, const Converters& converters) {
  return Parser(text, converters).parse();
}

std::string path_of(const RoutePattern& pattern, const PathValues& values) {
  std::string path;
  std::size_t used = 0;
  for (const auto& segment : pattern.segments) {
    path += '/';
    path += escaped_path(segment.prefix);
    if (segment.kind == PatternSegment::Kind::literal) continue;
    const auto value = std::ranges::find(values, segment.name, [](const auto& pair) { return pair.first; });
    if (value == values.end())
      throw std::invalid_argument(
          fmt::format("route '{}' needs a value for '{}'", pattern.text, segment.name));
    append_value(path, segment, value->second);
    path += escaped_path(segment.suffix);
    ++used;
  }
  if (used != values.size())
    throw std::invalid_argument(
        fmt::format("route '{}' was given values that it has no parameters for", pattern.text));
  return path;
}

}  // namespace atlas::asgi
