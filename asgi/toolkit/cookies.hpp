// Cookies (RFC 6265): those that a request brings, and those that a response sets.
#pragma once

#include <atlas/http/header.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

/// The value of the first cookie of that name; of the first `cookies_looked_at_max` in all. A quoted value
/// comes without its quotes. What is no cookie is passed over.
[[nodiscard]] std::optional<std::string_view> find_cookie(http::HeadersView headers,
                                                          std::string_view name) noexcept;
inline constexpr std::size_t cookies_looked_at_max = 300;

enum class SameSite : std::uint8_t { strict, lax, none };

/// A cookie to be set. By default it lives as long as the browser runs, and scripts do not see it.
struct Cookie {
  std::string name;
  std::string value;
  std::optional<std::chrono::seconds> max_age = {};
  std::optional<std::chrono::system_clock::time_point> expires = {};
  std::string path = "/";
  std::string domain = {};  ///< Empty: this host alone.
  bool secure = true;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
  bool partitioned = false;
};

/// As `set-cookie` has it. Throws std::invalid_argument, naming what is wrong: a name that is no token,
/// characters that may not be in a value, a path or a domain (encode other text, as encode_form_text does), a
/// `__Secure-` or `__Host-` name (in any case) without what it promises, SameSite=None or Partitioned without
/// Secure, more than 4,096 bytes.
[[nodiscard]] std::string to_text(const Cookie& cookie);

/// Has the browser forget a cookie. `path` and `domain` must be those that it was set with.
[[nodiscard]] Cookie forgotten_cookie(std::string name, std::string path = "/", std::string domain = {});

}  // namespace atlas::asgi
