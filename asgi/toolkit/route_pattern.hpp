// A route's pattern: "/users/{id:int}/files/{name}.json". Read once, when the route is declared. Knows
// nothing of handlers, nor of other routes.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::asgi {

/// Whether a segment's text is what a parameter takes.
using Converter = bool (*)(std::string_view text) noexcept;

/// By name. With "" (any text), "str", "int", "uint", "float", "uuid"; "path" takes the rest of the path and
/// is no converter.
class Converters {
 public:
  Converters();
  /// Replaces one of that name.
  void add(std::string name, Converter converter);
  /// Null when there is none.
  [[nodiscard]] Converter find(std::string_view name) const;

 private:
  std::map<std::string, Converter, std::less<>> converters_;
};

/// A pattern cannot be used: why, in one line that quotes it.
class BadPattern : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// One part of a path between slashes.
struct PatternSegment {
  enum class Kind : std::uint8_t {
    literal,    ///< `prefix` alone.
    parameter,  ///< A text that is not empty, between `prefix` and `suffix`.
    rest,       ///< All that is left of the path, which may be nothing.
  };

  Kind kind = Kind::literal;
  std::string prefix;
  std::string suffix = {};
  std::string name = {};            ///< Of the parameter.
  std::string converter_name = {};  ///< As written; empty: any text.
  Converter converter = nullptr;    ///< Null: any text.
};

struct RoutePattern {
  std::string text;
  std::vector<PatternSegment> segments;  ///< Of "/": one that is an empty literal.
  std::vector<std::string> names;        ///< Of the parameters.
};

/// Throws BadPattern: it does not begin with a slash, braces do not match, a segment has two parameters, a
/// name is none ([A-Za-z_][A-Za-z0-9_]*) or comes twice, a converter is unknown, a rest is not the last
/// segment, or there are more than PathParameters::count_max parameters.
[[nodiscard]] RoutePattern parse_pattern(std::string_view text, const Converters& converters);

using PathValues = std::vector<std::pair<std::string, std::string>>;

/// The path that a pattern matches with these values, percent-encoded. Throws std::invalid_argument when one
/// is missing, is not what its parameter takes, or is not of the pattern.
[[nodiscard]] std::string path_of(const RoutePattern& pattern, const PathValues& values);

}  // namespace atlas::asgi
