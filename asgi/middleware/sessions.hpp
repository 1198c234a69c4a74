// What a service remembers of a client from request to request, kept by the client: a cookie that is signed,
// or encrypted, too.
#pragma once

#include <atlas/asgi/scope.hpp>
#include <atlas/asgi/toolkit/cookies.hpp>
#include <atlas/asgi/toolkit/json.hpp>
#include <atlas/asgi/toolkit/middleware.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

struct SessionOptions {
  /// At least 32 bytes each, from a source of randomness. The first signs; all of them are accepted, so that
  /// a key can be replaced without losing sessions.
  std::vector<std::string> keys;
  /// Whether clients can read what is in it (AES-256-GCM), or only not change it (HMAC-SHA-256).
  bool encrypted = false;
  std::chrono::seconds max_age =
      std::chrono::hours(24 * 14);  ///< Since it was last changed; also checked by the server.
  std::string cookie = "session";
  std::string path = "/";
  std::string domain = {};
  bool secure = true;
  SameSite same_site = SameSite::lax;
};

/// Names to values. Of one request.
class Session {
 public:
  [[nodiscard]] const Json* find(std::string_view name) const noexcept { return values_.find(name); }
  void set(std::string_view name, Json value) {
    values_[name] = std::move(value);
    changed_ = true;
  }
  void erase(std::string_view name);
  void clear();
  [[nodiscard]] bool empty() const noexcept { return values_.size() == 0; }
  [[nodiscard]] bool changed() const noexcept { return changed_; }
  [[nodiscard]] const Json& values() const noexcept { return values_; }

 private:
  friend class SessionKeeper;
  Json values_ = Json::object();
  bool changed_ = false;
};

/// A session that was changed before the response begins goes with it; an empty one has the client forget it.
/// A cookie that was tampered with, or is too old, is an empty session. Changes that would make the cookie
/// longer than browsers keep make `send` throw std::invalid_argument. Throws std::invalid_argument for keys
/// that are too short.
[[nodiscard]] Middleware sessions(SessionOptions options);

/// Beneath that middleware: this request's. Throws std::logic_error elsewhere.
[[nodiscard]] Session& session_of(const Scope& scope);

}  // namespace atlas::asgi
