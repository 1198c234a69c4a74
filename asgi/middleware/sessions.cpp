#include <atlas/asgi/middleware/sessions.hpp>

#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/middleware/sealed_text.hpp>
#include <atlas/asgi/unix_time.hpp>
#include <atlas/core/log.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::string_view session_state = "atlas.session";

}  // namespace

/// Reads sessions from requests, and writes them to responses.
class SessionKeeper {
 public:
  explicit SessionKeeper(SessionOptions options)
      : options_(std::move(options)),
        sealer_(options_.keys, "session " + options_.cookie, options_.encrypted) {
    static_cast<void>(to_text(cookie("x")));  // throws, when it cannot be set
  }

  [[nodiscard]] std::shared_ptr<Session> read(const Scope& scope) const {
    auto session = std::make_shared<Session>();
    const auto sealed = find_cookie(scope.headers, options_.cookie);
    if (!sealed) return session;
    const auto text = sealer_.open(*sealed, unix_seconds_now(), options_.max_age);
    if (!text) {
      log::info("a session's cookie was forged, or is too old");
      return session;
    }
    session->values_ = Json::parse(*text);
    return session;
  }

  void write(const Session& session, HttpResponseStart& start) const {
    start.headers.add("vary", "cookie");
    if (!session.changed()) return;
    const auto set =
        session.empty() ? forgotten() : cookie(sealer_.seal(session.values().to_text(), unix_seconds_now()));
    start.headers.add("set-cookie", to_text(set));
  }

 private:
  [[nodiscard]] Cookie cookie(std::string value) const {
    return {.name = options_.cookie,
            .value = std::move(value),
            .max_age = options_.max_age,
            .path = options_.path,
            .domain = options_.domain,
            .secure = options_.secure,
            .same_site = options_.same_site};
  }
  [[nodiscard]] Cookie forgotten() const {
    auto gone = cookie("");
    gone.max_age = std::chrono::seconds(0);
    return gone;
  }

  SessionOptions options_;
  Sealer sealer_;
};

void Session::erase(std::string_view name) {
  const auto erased =
      std::erase_if(values_.members(), [&](const auto& member) { return member.first == name; });
  changed_ = changed_ || erased > 0;
}

void Session::clear() {
  changed_ = changed_ || !empty();
  values_ = Json::object();
}

Middleware sessions(SessionOptions options) {
  const auto keeper = std::make_shared<const SessionKeeper>(std::move(options));
  return http_layer([keeper](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    const auto session = keeper->read(scope);
    scope.state.set(session_state, session);
    AlteredStart adding(send, [&](HttpResponseStart& start) { keeper->write(*session, start); });
    inner(scope, receive, adding);
  });
}

Session& session_of(const Scope& scope) {
  const auto* session = scope.state.find<std::shared_ptr<Session>>(session_state);
  if (session == nullptr)
    throw std::logic_error("there is no session: this is not beneath the middleware sessions()");
  return **session;
}

}  // namespace atlas::asgi
