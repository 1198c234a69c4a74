#include <atlas/asgi/toolkit/cookies.hpp>

#include <atlas/http/characters.hpp>
#include <atlas/http/date.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace atlas::asgi {
namespace {

constexpr std::size_t cookie_bytes_max = 4096;

/// As browsers compare the prefixes of names (RFC 6265bis §5.7): in any case.
bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
  return http::iequals(name.substr(0, prefix.size()), prefix);
}

/// cookie-octet (RFC 6265 §4.1.1).
bool is_value(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = http::byte_of(c);
    return byte > 0x20 && byte < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
  });
}

bool is_attribute(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = http::byte_of(c);
    return byte >= 0x20 && byte < 0x7f && c != ';';
  });
}

void require(bool holds, const Cookie& cookie, std::string_view what) {
  if (!holds) throw std::invalid_argument(fmt::format("cookie '{}' {}", cookie.name, what));
}

void check(const Cookie& cookie) {
  require(http::is_token(cookie.name), cookie, "has a name that is no token");
  require(is_value(cookie.value), cookie, "has a value with characters that must be encoded");
  require(is_attribute(cookie.path) && (cookie.path.empty() || cookie.path.starts_with('/')), cookie,
          "has a path that is none");
  require(is_attribute(cookie.domain) && cookie.domain.find(' ') == std::string::npos, cookie,
          "has a domain that is none");
  const bool of_host = has_prefix(cookie.name, "__Host-");
  const bool secured = of_host || has_prefix(cookie.name, "__Secure-");
  require(!secured || cookie.secure, cookie, "must be secure, because of its name");
  require(!of_host || (cookie.path == "/" && cookie.domain.empty()), cookie,
          "must have the path '/' and no domain, because of its name");
  require(cookie.same_site != SameSite::none || cookie.secure, cookie,
          "must be secure, to go to other sites");
  require(!cookie.partitioned || cookie.secure, cookie, "must be secure, to be partitioned");
}

std::string_view name_of(SameSite same_site) noexcept {
  constexpr std::string_view names[] = {"Strict", "Lax", "None"};
  return names[static_cast<std::size_t>(same_site)];
}

std::string_view without_quotes(std::string_view value) noexcept {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
    return value.substr(1, value.size() - 2);
  return value;
}

}  // namespace

std::optional<std::string_view> find_cookie(http::HeadersView headers, std::string_view name) noexcept {
  std::size_t looked_at = 0;
  for (const auto& field : headers) {
    if (field.name != "cookie") continue;
    for (auto rest = field.value; !rest.empty() && looked_at < cookies_looked_at_max; ++looked_at) {
      const auto pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || http::trim_ows(pair.substr(0, equals)) != name) continue;
      return without_quotes(http::trim_ows(pair.substr(equals + 1)));
    }
  }
  return std::nullopt;
}

std::string to_text(const Cookie& cookie) {
  check(cookie);
  auto text = fmt::format("{}={}", cookie.name, cookie.value);
  const auto out = std::back_inserter(text);
  if (cookie.max_age) fmt::format_to(out, "; Max-Age={}", cookie.max_age->count());
  if (cookie.expires) {
    const auto since_epoch = std::chrono::floor<std::chrono::seconds>(cookie.expires->time_since_epoch());
    const auto date = http::format_date(since_epoch.count());
    fmt::format_to(out, "; Expires={}", std::string_view(date.data(), date.size()));
  }
  if (!cookie.domain.empty()) fmt::format_to(out, "; Domain={}", cookie.domain);
  if (!cookie.path.empty()) fmt::format_to(out, "; Path={}", cookie.path);
  if (cookie.secure) text += "; Secure";
  if (cookie.http_only) text += "; HttpOnly";
  fmt::format_to(out, "; SameSite={}", name_of(cookie.same_site));
  if (cookie.partitioned) text += "; Partitioned";
  require(text.size() <= cookie_bytes_max, cookie, "is longer than the 4,096 bytes that browsers keep");
  return text;
}

Cookie forgotten_cookie(std::string name, std::string path, std::string domain) {
  return {.name = std::move(name),
          .value = {},
          .max_age = std::chrono::seconds(0),
          .path = std::move(path),
          .domain = std::move(domain)};
}

}  // namespace atlas::asgi
