// Names of hosts as they are configured: "example.com", "*.example.com". Internal.
#pragma once

#include <string>
#include <string_view>

namespace atlas::asgi {

class HostPattern {
 public:
  /// Throws std::invalid_argument when it is neither a name nor "*." and a name.
  explicit HostPattern(std::string_view text);

  /// `host` in lower case, without a port.
  [[nodiscard]] bool matches(std::string_view host) const noexcept;
  /// Whether it says more than `other` does.
  [[nodiscard]] bool is_narrower_than(const HostPattern& other) const noexcept {
    if (is_wildcard_ != other.is_wildcard_) return !is_wildcard_;
    return name_.size() > other.name_.size();
  }
  friend bool operator==(const HostPattern&, const HostPattern&) = default;

 private:
  std::string name_;  // in lower case; ".example.com" of "*.example.com"
  bool is_wildcard_;
};

/// In lower case, without its port. An IPv6 address keeps its brackets.
[[nodiscard]] std::string host_name(std::string_view host);

}  // namespace atlas::asgi
