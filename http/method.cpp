#include <atlas/http/method.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace atlas::http {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, static_cast<std::size_t>(Method::unknown)> names{"GET",
                                                                                        "POST",
                                                                                        "HEAD",
                                                                                        "PUT",
                                                                                        "DELETE",
                                                                                        "PATCH",
                                                                                        "OPTIONS",
                                                                                        "CONNECT",
                                                                                        "TRACE",
                                                                                        "QUERY",
                                                                                        "PROPFIND",
                                                                                        "PROPPATCH",
                                                                                        "MKCOL",
                                                                                        "COPY",
                                                                                        "MOVE",
                                                                                        "LOCK",
                                                                                        "UNLOCK",
                                                                                        "REPORT",
                                                                                        "SEARCH",
                                                                                        "ACL",
                                                                                        "BASELINE-CONTROL",
                                                                                        "BIND",
                                                                                        "CHECKIN",
                                                                                        "CHECKOUT",
                                                                                        "LABEL",
                                                                                        "LINK",
                                                                                        "MERGE",
                                                                                        "MKACTIVITY",
                                                                                        "MKCALENDAR",
                                                                                        "MKREDIRECTREF",
                                                                                        "MKWORKSPACE",
                                                                                        "ORDERPATCH",
                                                                                        "PRI",
                                                                                        "PURGE",
                                                                                        "REBIND",
                                                                                        "UNBIND",
                                                                                        "UNCHECKOUT",
                                                                                        "UNLINK",
                                                                                        "UPDATE",
                                                                                        "UPDATEREDIRECTREF",
                                                                                        "VERSION-CONTROL"};

}  // namespace

Method detail::rarer_method_from(std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name);
  return static_cast<Method>(found - names.begin());  // one past the last is `unknown`
}

std::string_view to_string(Method method) noexcept {
  const auto index = static_cast<std::size_t>(method);
  return index < names.size() ? names[index] : std::string_view();
}

}  // namespace atlas::http
