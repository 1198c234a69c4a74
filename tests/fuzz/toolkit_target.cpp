// What handlers are built of, put to what must hold of it: JSON, forms, multipart bodies, routes.
#include "fuzz/fuzz_input.hpp"
#include "fuzz/fuzz_target.hpp"

#include <atlas/asgi/toolkit/json.hpp>
#include <atlas/asgi/toolkit/multipart.hpp>
#include <atlas/asgi/toolkit/route_tree.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/assert.hpp>
#include <atlas/http/utf8.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

// ---- JSON ----

void read_json(std::string_view text) {
  try {
    const auto json = asgi::Json::parse(text);
    const auto written = json.to_text();
    ATLAS_ASSERT(http::is_utf8(written), "JSON was written that is not UTF-8");
    const auto again = asgi::Json::parse(written);
    ATLAS_ASSERT(again == json, "JSON that was written reads otherwise");
    expect_same(again.to_text(), written, "JSON written again");
    ATLAS_ASSERT(asgi::Json::parse(json.to_pretty_text()) == json, "pretty JSON reads otherwise");
  } catch (const asgi::JsonError& error) {
    ATLAS_ASSERT(error.line() >= 1 && error.column() >= 1, "an error of JSON is nowhere");
  }
}

// ---- forms ----

void read_pairs(std::string_view text) {
  asgi::FormPairs pairs;
  try {
    pairs.parse(text, "the form");
  } catch (const asgi::HttpError&) {
    return;
  }
  std::string written;
  for (const auto& [name, value] : pairs) {
    written.append(asgi::encode_form_text(name))
        .append("=")
        .append(asgi::encode_form_text(value))
        .append("&");
  }
  asgi::FormPairs again;
  again.parse(written, "the form");
  ATLAS_ASSERT(std::ranges::equal(pairs, again,
                                  [](const auto& one, const auto& other) {
                                    return one.name == other.name && one.value == other.value;
                                  }),
               "a form that is written down again reads otherwise");
}

// ---- multipart ----

/// A body in pieces of so many bytes.
class Pieces final : public asgi::Receive {
 public:
  Pieces(std::string_view body, std::size_t piece_bytes) : left_(body), piece_bytes_(piece_bytes) {}

 private:
  asgi::ReceivedMessage next() override {
    const auto piece = left_.substr(0, piece_bytes_);
    left_.remove_prefix(piece.size());
    return asgi::HttpRequest{.body = piece, .more_body = !left_.empty()};
  }

  std::string_view left_;
  std::size_t piece_bytes_;
};

std::string read_parts(std::string_view body, std::size_t piece_bytes) {
  const std::array<http::Header, 1> headers{{{"content-type", "multipart/form-data; boundary=XX"}}};
  const asgi::Scope scope{.headers = http::HeadersView(headers)};
  const asgi::PathParameters parameters;
  const asgi::RequestLimits limits;
  Pieces pieces(body, piece_bytes);
  asgi::Request request(scope, pieces, parameters, limits);
  std::string told;
  try {
    asgi::MultipartReader parts(request, {.parts_max = 8, .part_header_bytes_max = 200});
    while (const auto part = parts.next()) {
      told.append(part->name).append("|").append(part->file_name.value_or("-")).append("|");
      while (const auto piece = parts.read()) told += *piece;
      const auto safe = asgi::safe_file_name(part->file_name.value_or(""));
      ATLAS_ASSERT(!safe.empty() && safe[0] != '.' && safe.find_first_of("/\\") == std::string::npos,
                   "a file name that is not safe");
    }
  } catch (const asgi::HttpError& error) {
    told.append(" ").append(std::to_string(error.status()));
  }
  return told;
}

void read_multipart(std::string_view body, FuzzInput& input) {
  const auto whole = read_parts(body, body.size() + 1);
  expect_same(read_parts(body, 1), whole, "a form byte by byte");
  expect_same(read_parts(body, 1 + input.below(20)), whole, "a form in pieces");
}

// ---- routes ----

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  for (path.remove_prefix(1);;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool fits(const asgi::PatternSegment& pattern, std::string_view segment) {
  if (pattern.kind == asgi::PatternSegment::Kind::literal) return segment == pattern.prefix;
  const auto around = pattern.prefix.size() + pattern.suffix.size();
  if (segment.size() <= around || !segment.starts_with(pattern.prefix) || !segment.ends_with(pattern.suffix))
    return false;
  const auto value = segment.substr(pattern.prefix.size(), segment.size() - around);
  return pattern.converter == nullptr || pattern.converter(value);
}

bool matches(const asgi::RoutePattern& pattern, std::string_view path) {
  const auto segments = segments_of(path);
  for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
    if (i == segments.size()) return false;
    if (pattern.segments[i].kind == asgi::PatternSegment::Kind::rest) return true;
    if (!fits(pattern.segments[i], segments[i])) return false;
  }
  return segments.size() == pattern.segments.size();
}

void find_route(std::string_view path, FuzzInput& input) {
  constexpr const char* known[] = {"/",          "/a",           "/a/",       "/{x}",        "/{x:int}",
                                   "/a/{x}",     "/a/b",         "/{x}/b",    "/{x}/{y}",    "/a{x}",
                                   "/{x}b",      "/a{x}b",       "/{r:path}", "/a/{r:path}", "/{x:int}/b",
                                   "/{x}/b/{y}", "/{x}/{y}/{z}", "//{x:uint}"};
  const asgi::Converters converters;
  std::vector<asgi::RoutePattern> patterns;
  asgi::RouteTree tree;
  for (const auto* text : known) {
    if (input.has_choices() && input.coin()) continue;
    patterns.push_back(asgi::parse_pattern(text, converters));
    ATLAS_ASSERT(tree.add(patterns.back()) == patterns.size() - 1, "two patterns share a place");
  }
  asgi::PathParameters values;
  const auto place = tree.find(path, values, [](std::size_t) { return true; });
  const bool any = std::ranges::any_of(patterns, [&](const auto& pattern) { return matches(pattern, path); });
  ATLAS_ASSERT((place != asgi::RouteTree::none) == any, "the tree and the patterns do not agree");
  if (any) {
    ATLAS_ASSERT(matches(patterns[place], path), "the tree has found a pattern that does not match");
    ATLAS_ASSERT(values.size() == patterns[place].names.size(), "the values are not those of the pattern");
  }
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  FuzzInput input(bytes);
  const auto text = input.text();
  read_json(text);
  read_pairs(text);
  read_multipart(text, input);
  std::string path = "/";
  path += text;
  find_route(path, input);
}

}  // namespace atlas::testing
