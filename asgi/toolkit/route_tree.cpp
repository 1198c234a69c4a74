#include <atlas/asgi/toolkit/route_tree.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <unordered_map>
#include <utility>

namespace atlas::asgi {
namespace {

/// Where a segment that begins at `begin` ends.
std::size_t end_of_segment(std::string_view path, std::size_t begin) noexcept {
  return std::min(path.find('/', begin), path.size());
}

}  // namespace

/// Of a segment's last eight bytes: those of a service's own literals, which nobody chooses to do it harm.
struct RouteTree::SegmentHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    constexpr std::uint64_t spread = 0x9E37'79B9'7F4A'7C15;  // 2^64 by the golden ratio
    std::uint64_t word = 0;
    const auto bytes = std::min(text.size(), sizeof word);
    if (bytes > 0) std::memcpy(&word, text.data() + text.size() - bytes, bytes);
    const auto mixed = (word ^ text.size()) * spread;
    return static_cast<std::size_t>(mixed ^ mixed >> 32);
  }
};

struct RouteTree::Parameter {
  std::string prefix;
  std::string suffix;
  Converter converter;
  std::unique_ptr<Node> node;

  [[nodiscard]] bool takes_as(const PatternSegment& segment) const {
    return converter == segment.converter && prefix == segment.prefix && suffix == segment.suffix;
  }
  /// What of the segment is the value; nothing when it does not match.
  [[nodiscard]] std::optional<std::string_view> value_in(std::string_view segment) const noexcept {
    if (segment.size() <= prefix.size() + suffix.size() || !segment.starts_with(prefix) ||
        !segment.ends_with(suffix))
      return std::nullopt;
    const auto value = segment.substr(prefix.size(), segment.size() - prefix.size() - suffix.size());
    if (converter != nullptr && !converter(value)) return std::nullopt;
    return value;
  }
  /// The particular goes before the general.
  [[nodiscard]] bool goes_before(const Parameter& other) const noexcept {
    if ((converter != nullptr) != (other.converter != nullptr)) return converter != nullptr;
    return prefix.size() + suffix.size() > other.prefix.size() + other.suffix.size();
  }
};

struct RouteTree::Node {
  std::unordered_map<std::string, std::unique_ptr<Node>, SegmentHash, std::equal_to<>> literals;
  std::vector<Parameter> parameters;
  std::size_t place = none;       // of the pattern that ends here
  std::size_t rest_place = none;  // of the one that takes all that follows

  Node& child(const PatternSegment& segment) {
    if (segment.kind == PatternSegment::Kind::literal) return made(literals[segment.prefix]);
    const auto same =
        std::ranges::find_if(parameters, [&](const auto& known) { return known.takes_as(segment); });
    if (same != parameters.end()) return *same->node;
    Parameter parameter{segment.prefix, segment.suffix, segment.converter, std::make_unique<Node>()};
    const auto behind =
        std::ranges::find_if(parameters, [&](const auto& known) { return parameter.goes_before(known); });
    return *parameters.insert(behind, std::move(parameter))->node;
  }

  static Node& made(std::unique_ptr<Node>& node) {
    if (node == nullptr) node = std::make_unique<Node>();
    return *node;
  }
};

struct RouteTree::Search {
  std::string_view path;
  PathParameters& values;
  Filter wanted;

  [[nodiscard]] bool wants(std::size_t place) const {
    return place != none && wanted.call(wanted.function, place);
  }

  /// Of the path from `begin` on, where a segment begins. As deep as the patterns are.
  [[nodiscard]] std::size_t find(const Node& node, std::size_t begin) {
    const auto end = end_of_segment(path, begin);
    const auto segment = path.substr(begin, end - begin);
    if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
      if (const auto place = go_on(*literal->second, end); place != none) return place;
    }
    for (const auto& parameter : node.parameters) {
      const auto value = parameter.value_in(segment);
      if (!value) continue;
      values.push({{}, *value});
      if (const auto place = go_on(*parameter.node, end); place != none) return place;
      values.pop();
    }
    if (!wants(node.rest_place)) return none;
    values.push({{}, path.substr(begin)});
    return node.rest_place;
  }

  [[nodiscard]] std::size_t go_on(const Node& node, std::size_t end) {
    if (end < path.size()) return find(node, end + 1);
    return wants(node.place) ? node.place : none;
  }
};

RouteTree::RouteTree() : root_(std::make_unique<Node>()) {}
RouteTree::~RouteTree() = default;
RouteTree::RouteTree(RouteTree&&) noexcept = default;
RouteTree& RouteTree::operator=(RouteTree&&) noexcept = default;

std::size_t RouteTree::add(const RoutePattern& pattern) {
  auto* node = root_.get();
  auto* place = &node->place;
  for (const auto& segment : pattern.segments) {
    if (segment.kind == PatternSegment::Kind::rest) {
      place = &node->rest_place;
      break;
    }
    node = &node->child(segment);
    place = &node->place;
  }
  if (*place == none) *place = places_++;
  return *place;
}

std::size_t RouteTree::find_wanted(std::string_view path, PathParameters& values, Filter wanted) const {
  if (!path.starts_with('/')) return none;
  return Search{path, values, wanted}.find(*root_, 1);
}

}  // namespace atlas::asgi
