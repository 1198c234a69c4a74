// A second opinion on the contract: follows what an application sends on an http scope. Written apart from
// the server's own check, so that each can find the other's faults. Internal; see application_check.hpp.
#pragma once

#include <atlas/asgi/application.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

class ResponseJudge {
 public:
  /// `scope` must outlive it.
  explicit ResponseJudge(const Scope& scope) : scope_(scope) {}

  /// Throws ContractError: which message, in which state.
  void take(MessageRef message);

  [[nodiscard]] bool complete() const noexcept { return state_ == State::complete; }
  /// 0 before the start.
  [[nodiscard]] int status() const noexcept { return status_; }
  /// "before 'http.response.start'" and so on.
  [[nodiscard]] std::string_view state() const noexcept;

 private:
  enum class State : std::uint8_t { nothing, started, body, trailers_due, complete };

  void take(const HttpResponseStart& message);
  void take(const HttpResponseBody& message);
  void take(const HttpResponseTrailers& message);
  void take(const HttpResponseEarlyHint& message);
  void take(const HttpResponsePathsend& message);
  void take(const HttpResponseZerocopysend& message);
  void take(const HttpResponsePush& message);
  void take(const OpenMessage& message);
  template <class Other>
  void take(const Other&) {
    breach("is not a message of the http scope");
  }

  [[noreturn]] void breach(std::string_view what) const;
  void require_extension(bool offered) const;
  void require(bool in_order) const;
  void grow(std::uint64_t bytes);
  void body_ended();
  [[nodiscard]] bool has_body() const noexcept;

  const Scope& scope_;
  std::string_view type_;  // of the message in `take`
  State state_ = State::nothing;
  int status_ = 0;
  bool trailers_ = false;
  std::optional<std::uint64_t> length_;  // as content-length says
  std::uint64_t bytes_ = 0;
  bool counted_ = true;  // all of the body's bytes are known
};

}  // namespace atlas::asgi
