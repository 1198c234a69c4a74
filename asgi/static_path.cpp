#include <atlas/asgi/static_path.hpp>

#include <atlas/http/characters.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace atlas::asgi {
namespace {

bool has_escaped_slash(std::string_view raw_path) {
  for (auto at = raw_path.find('%'); at != std::string_view::npos; at = raw_path.find('%', at + 1)) {
    const auto digits = raw_path.substr(at + 1, 2);
    if (digits == "2F" || digits == "2f") return true;
  }
  return false;
}

/// What follows the place where the application is mounted: empty, or with a slash in front.
std::optional<std::string_view> below_root(const Scope& scope) {
  auto root = scope.root_path;
  while (root.ends_with('/')) root.remove_suffix(1);
  if (!scope.path.starts_with(root)) return std::nullopt;
  const auto rest = scope.path.substr(root.size());
  if (!rest.empty() && rest.front() != '/') return std::nullopt;
  return rest;
}

bool is_refused_character(char c) {
  const auto byte = http::byte_of(c);
  return byte < 0x20 || byte == 0x7F || c == '\\';
}

bool is_sound_part(std::string_view part, bool hidden_allowed) {
  if (part.empty() || part == "." || part == "..") return false;
  if (part.front() == '.' && !hidden_allowed) return false;
  return std::none_of(part.begin(), part.end(), is_refused_character);
}

bool is_sound(std::string_view name, bool hidden_files) {
  bool first = true;
  for (;;) {
    const auto slash = name.find('/');
    const auto part = name.substr(0, slash);
    if (!is_sound_part(part, hidden_files || (first && part == ".well-known"))) return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
    first = false;
  }
}

bool stays_as_it_is(char c) {
  constexpr std::string_view others = "-._~!$&'()*+,;=:@/";
  return http::is_digit(c) || (http::to_lower(c) >= 'a' && http::to_lower(c) <= 'z') ||
         others.find(c) != std::string_view::npos;
}

}  // namespace

std::optional<StaticPath> static_path(const Scope& scope, bool hidden_files) {
  const auto below = below_root(scope);
  if (!below || has_escaped_slash(scope.raw_path)) return std::nullopt;
  if (below->empty()) return StaticPath{};
  StaticPath path{.name = below->substr(1), .names_folder = below->ends_with('/')};
  if (path.name.empty()) return path;
  if (path.names_folder) path.name.remove_suffix(1);
  if (!is_sound(path.name, hidden_files)) return std::nullopt;
  return path;
}

std::string escaped_path(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    if (stays_as_it_is(c)) {
      escaped += c;
    } else {
      fmt::format_to(std::back_inserter(escaped), "%{:02X}", http::byte_of(c));
    }
  }
  return escaped;
}

}  // namespace atlas::asgi
