#include <atlas/asgi/conformance/response_judge.hpp>

#include <atlas/asgi/toolkit/text_value.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/response_check.hpp>
#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace atlas::asgi {
namespace {

/// What is wrong with fields, if something is.
std::string fault_of(http::HeadersView fields) {
  for (const auto& field : fields) {
    if (const auto fault = http::find_fault(field))
      return fmt::format("has a header '{}': {}", field.name, http::describe(*fault));
  }
  return {};
}

}  // namespace

std::string_view ResponseJudge::state() const noexcept {
  switch (state_) {
    case State::nothing: return "before 'http.response.start'";
    case State::started: return "after 'http.response.start'";
    case State::body: return "after 'http.response.body' with more_body";
    case State::trailers_due: return "after the last body, where 'http.response.trailers' is due";
    case State::complete: return "after the response was complete";
  }
  return "";
}

void ResponseJudge::breach(std::string_view what) const {
  throw ContractError(fmt::format("'{}' {}", type_, what));
}

void ResponseJudge::require(bool in_order) const {
  if (!in_order) breach(fmt::format("was sent {}", state()));
}

void ResponseJudge::require_extension(bool offered) const {
  if (!offered) breach("was sent, but the scope does not offer that extension");
}

bool ResponseJudge::has_body() const noexcept {
  return scope_.method != "HEAD" && !http::forbids_body(status_);
}

void ResponseJudge::take(MessageRef message) {
  type_ = message.type();
  message.visit([this](const auto& known) { take(known); });
}

void ResponseJudge::take(const HttpResponseStart& message) {
  require(state_ == State::nothing);
  if (message.status < 200 || message.status > 599)
    breach(fmt::format("has status {}, which is no final one", message.status));
  if (const auto fault = fault_of(message.headers.view()); !fault.empty()) breach(fault);
  for (const auto& [name, value] : message.headers.view()) {
    if (!http::iequals(name, "content-length")) continue;
    if (length_) breach("has more than one content-length");
    length_ = TextValue<std::uint64_t>::parse(value);
    if (!length_) breach(fmt::format("has a content-length '{}'", value));
  }
  if (message.trailers) require_extension(scope_.extensions.http_response_trailers);
  status_ = message.status;
  trailers_ = message.trailers;
  state_ = State::started;
}

void ResponseJudge::take(const HttpResponseBody& message) {
  require(state_ == State::started || state_ == State::body);
  grow(message.body.size());
  if (!message.more_body) body_ended();
}

void ResponseJudge::grow(std::uint64_t bytes) {
  bytes_ += bytes;
  if (length_ && has_body() && bytes_ > *length_)
    breach(fmt::format("makes a body of {} bytes, but content-length said {}", bytes_, *length_));
  state_ = State::body;
}

void ResponseJudge::body_ended() {
  if (length_ && counted_ && has_body() && *length_ != bytes_)
    breach(fmt::format("ends a body of {} bytes, but content-length said {}", bytes_, *length_));
  state_ = trailers_ ? State::trailers_due : State::complete;
}

void ResponseJudge::take(const HttpResponseTrailers& message) {
  require_extension(scope_.extensions.http_response_trailers);
  require(state_ == State::trailers_due);
  if (const auto fault = http::find_trailer_fault(message.headers.view()))
    breach(fmt::format("has a field that may not be a trailer: {}", http::describe(fault->kind)));
  if (!message.more_trailers) state_ = State::complete;
}

void ResponseJudge::take(const HttpResponseEarlyHint& message) {
  require_extension(scope_.extensions.http_response_early_hint);
  require(state_ == State::nothing || state_ == State::started);
  if (!std::ranges::all_of(message.links, [](const auto& link) { return http::is_field_value(link); }))
    breach("has a link with a control character");
}

void ResponseJudge::take(const HttpResponsePathsend& message) {
  require_extension(scope_.extensions.http_response_pathsend);
  require(state_ == State::started);
  if (!message.path.starts_with('/'))
    breach(fmt::format("has a path that is not absolute: '{}'", message.path));
  counted_ = false;
  body_ended();
}

void ResponseJudge::take(const HttpResponseZerocopysend& message) {
  require_extension(scope_.extensions.http_response_zerocopysend);
  require(state_ == State::started || state_ == State::body);
  if (message.file == nullptr) breach("has no file");
  grow(message.count.value_or(0));
  counted_ = counted_ && message.count.has_value();
  if (!message.more_body) body_ended();
}

void ResponseJudge::take(const HttpResponsePush&) { require_extension(scope_.extensions.http_response_push); }

void ResponseJudge::take(const OpenMessage& message) {
  if (message.type != "http.response.debug") breach("is not a message of the http scope");
  require_extension(scope_.extensions.http_response_debug);
}

}  // namespace atlas::asgi
