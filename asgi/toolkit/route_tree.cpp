#include <atlas/asgi/toolkit/route_tree.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace atlas::asgi {
namespace {

/// Where a segment that begins at `begin` ends.
std::size_t end_of_segment(std::string_view path, std::size_t begin) noexcept {
  return std::min(path.find('/', begin), path.size());
}

}  // namespace

/// The nodes behind literals, by their texts: open addressing, at most half full, which costs less than
/// std::unordered_map's buckets and its division.
class RouteTree::Literals {
 public:
  /// Null when there is none.
  [[nodiscard]] Node* find(std::string_view text) const noexcept {
    if (slots_.empty()) return nullptr;
    const auto* slot = slot_of(text, hash_of(text));
    return slot->node.get();
  }
  /// Made when there is none.
  [[nodiscard]] Node& get(const std::string& text);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::string text;
    std::unique_ptr<Node> node;  // null: the slot is free
  };

  /// Eight bytes at a time. Literals are a service's own: nobody chooses them to do it harm.
  [[nodiscard]] static std::uint64_t hash_of(std::string_view text) noexcept {
    constexpr std::uint64_t spread = 0x9E37'79B9'7F4A'7C15;  // 2^64 by the golden ratio
    constexpr std::size_t word_bytes = sizeof(std::uint64_t);
    if (text.size() < word_bytes) return mixed(text.size(), short_word(text)) * spread;
    std::uint64_t hash = text.size();
    for (std::size_t at = 0; at + word_bytes < text.size(); at += word_bytes)
      hash = mixed(hash, loaded<std::uint64_t>(text.data() + at));
    return mixed(hash, loaded<std::uint64_t>(text.data() + text.size() - word_bytes)) * spread;
  }
  [[nodiscard]] static std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
    constexpr std::uint64_t odd = 0xBF58'476D'1CE4'E5B9;
    hash = (hash ^ word) * odd;
    return hash ^ hash >> 32;
  }
  /// Of less than eight bytes, in loads that may overlap.
  [[nodiscard]] static std::uint64_t short_word(std::string_view text) noexcept {
    const auto half = [](const char* at) { return std::uint64_t{loaded<std::uint32_t>(at)}; };
    const auto byte = [](char c) { return std::uint64_t{static_cast<unsigned char>(c)}; };
    if (text.size() >= 4) return half(text.data()) | half(text.data() + text.size() - 4) << 32;
    if (text.empty()) return 0;
    return byte(text.front()) | byte(text[text.size() / 2]) << 8 | byte(text.back()) << 16;
  }
  template <class Word>
  [[nodiscard]] static Word loaded(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }

  /// Its own, or the free one where it would go.
  [[nodiscard]] const Slot* slot_of(std::string_view text, std::uint64_t hash) const noexcept {
    const auto mask = slots_.size() - 1;
    for (auto at = hash >> shift_;; at = (at + 1) & mask) {
      const auto& slot = slots_[at];
      if (slot.node == nullptr || (slot.hash == hash && slot.text == text)) return &slot;
    }
  }
  void grow();

  std::vector<Slot> slots_;  // a power of two
  unsigned shift_ = 0;       // leaves as many of a hash's upper bits
  std::size_t size_ = 0;
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
  Literals literals;
  std::vector<Parameter> parameters;
  std::size_t place = none;       // of the pattern that ends here
  std::size_t rest_place = none;  // of the one that takes all that follows

  Node& child(const PatternSegment& segment) {
    if (segment.kind == PatternSegment::Kind::literal) return literals.get(segment.prefix);
    const auto same =
        std::ranges::find_if(parameters, [&](const auto& known) { return known.takes_as(segment); });
    if (same != parameters.end()) return *same->node;
    Parameter parameter{segment.prefix, segment.suffix, segment.converter, std::make_unique<Node>()};
    const auto behind =
        std::ranges::find_if(parameters, [&](const auto& known) { return parameter.goes_before(known); });
    return *parameters.insert(behind, std::move(parameter))->node;
  }
};

RouteTree::Node& RouteTree::Literals::get(const std::string& text) {
  if (auto* known = find(text)) return *known;
  if (2 * ++size_ > slots_.size()) grow();
  const auto hash = hash_of(text);
  auto& slot = slots_[static_cast<std::size_t>(slot_of(text, hash) - slots_.data())];
  slot = {.hash = hash, .text = text, .node = std::make_unique<Node>()};
  return *slot.node;
}

void RouteTree::Literals::grow() {
  constexpr std::size_t slots_min = 4;
  auto before = std::exchange(slots_, {});
  const auto count = std::max(slots_min, 2 * before.size());
  slots_.resize(count);
  shift_ = static_cast<unsigned>(64 - std::countr_zero(count));
  for (auto& slot : before) {
    if (slot.node != nullptr)
      slots_[static_cast<std::size_t>(slot_of(slot.text, slot.hash) - slots_.data())] = std::move(slot);
  }
}

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
    if (const auto* literal = node.literals.find(segment)) {
      if (const auto place = go_on(*literal, end); place != none) return place;
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
