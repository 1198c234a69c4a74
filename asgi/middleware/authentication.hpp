// Who asks: the Authorization field (RFC 9110 §11), looked at by functions of the user's.
#pragma once

#include <atlas/asgi/scope.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

/// Gives the identity, which handlers find, of who may pass; none for others. May suspend; called by all
/// workers at the same time.
using VerifyPassword =
    std::function<std::optional<std::string>(std::string_view user, std::string_view password)>;
using VerifyToken = std::function<std::optional<std::string>(std::string_view token)>;

/// Basic (RFC 7617), in UTF-8. 401 with a challenge for who may not pass, 400 for a malformed field.
/// Passwords are only as secret as the connection.
[[nodiscard]] Middleware basic_auth(VerifyPassword verify, const std::string& realm = "restricted");

/// Bearer tokens (RFC 6750), in the header only. 401 with a challenge, 400 for a malformed field.
[[nodiscard]] Middleware bearer_auth(VerifyToken verify, const std::string& realm = "restricted");

/// Beneath that middleware: who asks. Empty elsewhere. Valid as long as the scope.
[[nodiscard]] std::string_view identity_of(const Scope& scope);

/// Compares in a time that does not tell where they differ, as is right for secrets.
[[nodiscard]] bool equals_secret(std::string_view left, std::string_view right) noexcept;

}  // namespace atlas::asgi
