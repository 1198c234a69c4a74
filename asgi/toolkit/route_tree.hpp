// Finds the patterns that a path matches. What it costs depends on the path, not on how many patterns there
// are.
#pragma once

#include <atlas/asgi/toolkit/path_parameters.hpp>
#include <atlas/asgi/toolkit/route_pattern.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace atlas::asgi {

/// A tree with a level for each segment. A node knows its literals by hash, and its parameters, the
/// particular before the general: those with a converter, then any text, and the rest of the path last.
/// Because a parameter is one segment, a node is looked at once for a path at most, whatever alternatives
/// there were before.
class RouteTree {
 public:
  static constexpr std::size_t none = SIZE_MAX;

  RouteTree();
  ~RouteTree();
  RouteTree(RouteTree&&) noexcept;
  RouteTree& operator=(RouteTree&&) noexcept;

  /// The place of patterns that match the same paths (whatever their parameters are called): a new one, the
  /// number of places so far, or that of the first that did.
  std::size_t add(const RoutePattern& pattern);

  /// The place whose pattern matches `path` and for which `wanted(place)` holds; none. The values of its
  /// parameters, without their names, are views of `path`. Does not allocate.
  template <class Wanted>
  [[nodiscard]] std::size_t find(std::string_view path, PathParameters& values, Wanted&& wanted) const {
    const auto call = [](const void* function, std::size_t place) {
      return (*static_cast<const std::remove_reference_t<Wanted>*>(function))(place);
    };
    return find_wanted(path, values, {&wanted, call});
  }

  [[nodiscard]] std::size_t size() const noexcept { return places_; }

 private:
  struct Node;
  struct Parameter;
  class Literals;
  struct Filter {
    const void* function;
    bool (*call)(const void* function, std::size_t place);
  };
  struct Search;

  [[nodiscard]] std::size_t find_wanted(std::string_view path, PathParameters& values, Filter wanted) const;

  std::unique_ptr<Node> root_;
  std::size_t places_ = 0;
};

}  // namespace atlas::asgi
