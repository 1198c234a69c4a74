#include <atlas/asgi/static_ranges.hpp>

#include <atlas/http/characters.hpp>
#include <atlas/http/header.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace atlas::asgi {
namespace {

/// Digits, at least one. A number that is too large to be counted is the largest one.
std::optional<std::uint64_t> number(std::string_view digits) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), http::is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return result.ec == std::errc() ? value : std::numeric_limits<std::uint64_t>::max();
}

/// What a range-spec asks for (RFC 9110 §14.1.2).
struct Spec {
  bool sound = false;
  std::optional<ByteRange> range;  // none when it is not satisfiable
};

Spec suffix(std::uint64_t wanted, std::uint64_t bytes) {
  const auto count = std::min(wanted, bytes);
  if (count == 0) return {.sound = true, .range = std::nullopt};
  return {.sound = true, .range = ByteRange{bytes - count, count}};
}

Spec read_spec(std::string_view text, std::uint64_t bytes) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const auto last = number(text.substr(dash + 1));
  if (dash == 0) return last ? suffix(*last, bytes) : Spec{};
  const auto first = number(text.substr(0, dash));
  const bool open = dash + 1 == text.size();
  if (!first || (!open && (!last || *last < *first))) return {};
  if (*first >= bytes) return {.sound = true, .range = std::nullopt};
  const auto end = open ? bytes : std::min(*last, bytes - 1) + 1;
  return {.sound = true, .range = ByteRange{*first, end - *first}};
}

bool overlap(std::vector<ByteRange> ranges) {
  const auto by_first = [](const ByteRange& left, const ByteRange& right) {
    return left.first < right.first;
  };
  std::sort(ranges.begin(), ranges.end(), by_first);
  const auto touches = [](const ByteRange& left, const ByteRange& right) {
    return left.first + left.bytes > right.first;
  };
  return std::adjacent_find(ranges.begin(), ranges.end(), touches) != ranges.end();
}

}  // namespace

RangeChoice choose_ranges(std::string_view field, std::uint64_t bytes, std::size_t ranges_max) {
  const auto equals = field.find('=');
  if (equals == std::string_view::npos || !http::iequals(field.substr(0, equals), "bytes")) return {};
  if (bytes == 0) return {};
  std::vector<ByteRange> ranges;
  std::size_t count = 0;
  bool sound = true;
  http::for_each_list_element(field.substr(equals + 1), [&](std::string_view element) {
    if (element.empty() || !sound) return;
    const auto spec = read_spec(element, bytes);
    sound = spec.sound && ++count <= ranges_max;
    if (sound && spec.range) ranges.push_back(*spec.range);
  });
  if (!sound || count == 0 || overlap(ranges)) return {};
  if (ranges.empty()) return {.kind = RangeChoice::Kind::unsatisfiable};
  return {.kind = RangeChoice::Kind::parts, .ranges = std::move(ranges)};
}

}  // namespace atlas::asgi
