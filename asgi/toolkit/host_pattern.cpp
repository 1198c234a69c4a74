#include <atlas/asgi/toolkit/host_pattern.hpp>

#include <atlas/http/characters.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace atlas::asgi {

HostPattern::HostPattern(std::string_view text)
    : name_(text.starts_with("*.") ? text.substr(1) : text), is_wildcard_(text.starts_with("*.")) {
  http::make_lower(name_);
  if (name_.size() < (is_wildcard_ ? 2 : 1) || name_.find_first_of("*{}/ ") != std::string::npos)
    throw std::invalid_argument(fmt::format("host '{}' is neither a name nor '*.' and a name", text));
}

bool HostPattern::matches(std::string_view host) const noexcept {
  return is_wildcard_ ? host.size() > name_.size() && host.ends_with(name_) : host == name_;
}

std::string host_name(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string name(has_port ? host.substr(0, colon) : host);
  http::make_lower(name);
  return name;
}

}  // namespace atlas::asgi
