#include <atlas/asgi/static_conditions.hpp>

#include <atlas/http/characters.hpp>
#include <atlas/http/date_parser.hpp>

#include <algorithm>
#include <optional>

namespace atlas::asgi {
namespace {

struct EntityTag {
  bool weak = false;
  std::string_view opaque;  // with its quotes
};

enum class Comparison : std::uint8_t { strong, weak };

/// RFC 9110 §8.8.3.2.
bool equal(const EntityTag& left, const EntityTag& right, Comparison comparison) {
  const bool either_weak = left.weak || right.weak;
  return left.opaque == right.opaque && (comparison == Comparison::weak || !either_weak);
}

bool is_tag_character(char c) {
  const auto byte = http::byte_of(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
}

/// Takes an entity tag off the front of `text`; nothing when there is none.
std::optional<EntityTag> take_entity_tag(std::string_view& text) {
  const bool weak = text.starts_with("W/");
  const auto quoted = text.substr(weak ? 2 : 0);
  const auto end = quoted.find('"', 1);
  if (!quoted.starts_with('"') || end == std::string_view::npos) return std::nullopt;
  const auto opaque = quoted.substr(0, end + 1);
  if (!std::all_of(opaque.begin() + 1, opaque.end() - 1, is_tag_character)) return std::nullopt;
  text = quoted.substr(end + 1);
  return EntityTag{weak, opaque};
}

std::optional<EntityTag> entity_tag(std::string_view text) {
  const auto tag = take_entity_tag(text);
  return text.empty() ? tag : std::nullopt;
}

std::string_view without_commas(std::string_view text) {
  while (!text.empty() && (text.front() == ',' || http::is_ows(text.front()))) text.remove_prefix(1);
  return text;
}

/// Commas may stand inside of tags, too. What follows something that is no tag does not count.
bool list_has(std::string_view list, const EntityTag& wanted, Comparison comparison) {
  for (list = without_commas(list); !list.empty(); list = without_commas(list)) {
    const auto tag = take_entity_tag(list);
    if (!tag) return false;
    if (equal(*tag, wanted, comparison)) return true;
  }
  return false;
}

/// "*", or a list with the representation's tag, on any line of that name.
bool matches(http::HeadersView headers, std::string_view name, const Validators& validators,
             Comparison comparison) {
  const auto own = entity_tag(validators.etag).value_or(EntityTag{});
  bool found = false;
  headers.for_each(name, [&](std::string_view value) {
    found = found || http::trim_ows(value) == "*" || list_has(value, own, comparison);
  });
  return found;
}

/// Nothing for no date, more than one, and what is none.
std::optional<std::int64_t> date_of(http::HeadersView headers, std::string_view name, std::int64_t now) {
  if (headers.count(name) != 1) return std::nullopt;
  return http::parse_date(*headers.find(name), now);
}

bool unmodified_since_failed(http::HeadersView headers, const Validators& validators, std::int64_t now) {
  const auto date = date_of(headers, "if-unmodified-since", now);
  return date && validators.modified > *date;
}

bool unmodified_since_theirs(http::HeadersView headers, const Validators& validators, std::int64_t now) {
  const auto date = date_of(headers, "if-modified-since", now);
  return date && validators.modified <= *date;
}

}  // namespace

Precondition evaluate_preconditions(http::HeadersView headers, const Validators& validators,
                                    std::int64_t now) {
  if (headers.contains("if-match")) {
    if (!matches(headers, "if-match", validators, Comparison::strong)) return Precondition::failed;
  } else if (unmodified_since_failed(headers, validators, now)) {
    return Precondition::failed;
  }
  if (headers.contains("if-none-match")) {
    return matches(headers, "if-none-match", validators, Comparison::weak) ? Precondition::not_modified
                                                                           : Precondition::met;
  }
  return unmodified_since_theirs(headers, validators, now) ? Precondition::not_modified : Precondition::met;
}

bool range_counts(http::HeadersView headers, const Validators& validators, std::int64_t now) {
  const auto value = headers.find("if-range");
  if (!value) return true;
  if (headers.count("if-range") != 1) return false;
  const auto own = entity_tag(validators.etag).value_or(EntityTag{});
  if (const auto theirs = entity_tag(*value)) return equal(*theirs, own, Comparison::strong);
  return validators.date_is_strong && http::parse_date(*value, now) == validators.modified;
}

}  // namespace atlas::asgi
