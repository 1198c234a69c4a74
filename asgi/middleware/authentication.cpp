#include <atlas/asgi/middleware/authentication.hpp>

#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/base64.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/utf8.hpp>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::string_view identity_state = "atlas.identity";

/// What follows the scheme; nothing when another one is used, or none.
std::optional<std::string_view> credentials(const Scope& scope, std::string_view scheme) {
  if (scope.headers.count("authorization") > 1) throw HttpError(400, "authorization was sent twice");
  const auto field = scope.headers.find("authorization").value_or("");
  const auto space = field.find(' ');
  if (space == std::string_view::npos || !http::iequals(field.substr(0, space), scheme)) return std::nullopt;
  return http::trim_ows(field.substr(space + 1));
}

bool is_token68(std::string_view text) noexcept {
  const auto end = text.find_last_not_of('=');
  const auto body = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
  return !body.empty() && std::ranges::all_of(body, [](char c) {
    return http::is_digit(c) || http::is_letter(c) ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

std::optional<std::string> identity_by_password(const Scope& scope, const VerifyPassword& verify) {
  const auto given = credentials(scope, "Basic");
  if (!given) return std::nullopt;
  const auto decoded = decode_base64(*given);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos || !http::is_utf8(*decoded))
    throw HttpError(400, "the basic credentials are malformed");
  return verify(std::string_view(*decoded).substr(0, colon), std::string_view(*decoded).substr(colon + 1));
}

std::optional<std::string> identity_by_token(const Scope& scope, const VerifyToken& verify) {
  const auto given = credentials(scope, "Bearer");
  if (!given) return std::nullopt;
  if (!is_token68(*given)) throw HttpError(400, "the bearer token is malformed");
  return verify(*given);
}

std::string challenge(std::string_view scheme, const std::string& realm, std::string_view parameters) {
  if (!http::is_field_value(realm) || realm.find_first_of("\"\\") != std::string::npos)
    throw std::invalid_argument(fmt::format("authentication: '{}' cannot be a realm", realm));
  return fmt::format("{} realm=\"{}\"{}", scheme, realm, parameters);
}

/// `identify(scope)` gives who may pass, and throws HttpError for what is malformed.
template <class Identify>
Middleware authentication(Identify identify, std::string challenge) {
  const auto shared =
      std::make_shared<const std::pair<Identify, std::string>>(std::move(identify), std::move(challenge));
  return http_layer([shared](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    const auto refuse = [&](const HttpError& error) { error_response(error).send(scope, send); };
    std::optional<std::string> identity;
    std::optional<HttpError> malformed;
    try {
      identity = shared->first(scope);
    } catch (const HttpError& error) {
      malformed = error;
    }
    if (malformed) return refuse(*malformed);
    if (!identity) return refuse(HttpError(401, {}, {{"www-authenticate", shared->second}}));
    set_access_user(scope, *identity);
    scope.state.set(identity_state, *std::move(identity));
    inner(scope, receive, send);
  });
}

}  // namespace

Middleware basic_auth(VerifyPassword verify, const std::string& realm) {
  return authentication(
      [verify = std::move(verify)](const Scope& scope) { return identity_by_password(scope, verify); },
      challenge("Basic", realm, ", charset=\"UTF-8\""));
}

Middleware bearer_auth(VerifyToken verify, const std::string& realm) {
  return authentication(
      [verify = std::move(verify)](const Scope& scope) { return identity_by_token(scope, verify); },
      challenge("Bearer", realm, ""));
}

std::string_view identity_of(const Scope& scope) {
  const auto* identity = scope.state.find<std::string>(identity_state);
  return identity != nullptr ? std::string_view(*identity) : std::string_view();
}

bool equals_secret(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace atlas::asgi
