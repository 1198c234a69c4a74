// The request methods that are registered with IANA (and PURGE, which caches made common).
#pragma once

#include <cstdint>
#include <string_view>

namespace atlas::http {

/// In the order in which requests use them: the look-up walks it from the front.
enum class Method : std::uint8_t {
  get,
  post,
  head,
  put,
  delete_,
  patch,
  options,
  connect,
  trace,
  query,
  propfind,
  proppatch,
  mkcol,
  copy,
  move,
  lock,
  unlock,
  report,
  search,
  acl,
  baseline_control,
  bind,
  checkin,
  checkout,
  label,
  link,
  merge,
  mkactivity,
  mkcalendar,
  mkredirectref,
  mkworkspace,
  orderpatch,
  pri,
  purge,
  rebind,
  unbind,
  uncheckout,
  unlink,
  update,
  updateredirectref,
  version_control,
  unknown
};

/// The method of that name (methods are case-sensitive, RFC 9110 §9.1), or `unknown`.
[[nodiscard]] inline Method method_from(std::string_view name) noexcept;

namespace detail {
[[nodiscard]] Method rarer_method_from(std::string_view name) noexcept;
}

inline Method method_from(std::string_view name) noexcept {
  return name == "GET" ? Method::get : detail::rarer_method_from(name);
}

/// "GET" for `get`; empty for `unknown`.
[[nodiscard]] std::string_view to_string(Method method) noexcept;

}  // namespace atlas::http
