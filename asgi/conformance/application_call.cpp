#include <atlas/asgi/conformance/application_call.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/http/target.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

// In virtual time: enough for any timeout that is part of an answer.
constexpr Duration answer_time_max = 1h;
// Of a response that has no end, like one of server-sent events.
constexpr std::size_t messages_max = 1000;
constexpr std::size_t vain_calls_max = 1000;

}  // namespace

std::string CallOutcome::fault() const {
  if (!breach.empty()) return breach;
  if (!exception.empty()) return "it threw: " + exception;
  if (!returned) return "it did not return";
  if (!complete && !endless) return "it returned " + state;
  return {};
}

ApplicationCall::ApplicationCall(const ConformanceRequest& request, const CallConditions& conditions,
                                 const State& state)
    : request_(request), conditions_(conditions), judge_(scope_) {
  fill_scope(state);
}

void ApplicationCall::fill_scope(const State& state) {
  const std::string_view target = request_.target;
  const auto mark = target.find('?');
  raw_path_ = conditions_.root_path + std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) query_ = target.substr(mark + 1);
  ByteBuffer scratch;
  const auto decoded = http::decode_path(raw_path_, scratch);
  if (!decoded) throw std::invalid_argument(fmt::format("'{}' is no target", request_.target));
  path_ = *decoded;
  headers_.push_back({"host", "conformance.test"});
  for (const auto& [name, value] : request_.headers) headers_.push_back({name, value});

  scope_.http_version = "1.1";
  scope_.method = request_.method;
  scope_.scheme = "http";
  scope_.path = path_;
  scope_.raw_path = raw_path_;
  scope_.query_string = query_;
  scope_.root_path = conditions_.root_path;
  scope_.headers = http::HeadersView(headers_);
  scope_.state = state;
  if (conditions_.endpoints) {
    scope_.client = Endpoint{.host = "192.0.2.1", .port = 4000};
    scope_.server = Endpoint{.host = "192.0.2.2", .port = 80};
  }
  auto& extensions = scope_.extensions;
  extensions.http_response_trailers = conditions_.extensions;
  extensions.http_response_early_hint = conditions_.extensions;
  extensions.http_response_pathsend = conditions_.extensions;
  extensions.http_response_zerocopysend = conditions_.extensions;
  extensions.http_response_push = conditions_.extensions;
  extensions.atlas.worker = 0;
}

void ApplicationCall::client_leaves() {
  gone_ = true;
  over_.set();
}

CallOutcome ApplicationCall::run(const Application& application) {
  auto fiber = spawn("application", [&] { call(application); });
  if (!fiber.join(Deadline::after(answer_time_max)).has_value()) {
    outcome_.endless = judge_.status() != 0 && !judge_.complete();
    client_leaves();
    if (!fiber.join(Deadline::after(answer_time_max)).has_value()) {
      fiber.cancel();
      fiber = {};
      outcome_.returned = false;
    }
  }
  outcome_.complete = judge_.complete();
  outcome_.status = judge_.status();
  outcome_.state = judge_.state();
  return outcome_;
}

void ApplicationCall::call(const Application& application) {
  try {
    application(scope_, *this, *this);
  } catch (const Disconnected& error) {
    if (!gone_) outcome_.exception = error.what();
  } catch (const std::exception& error) {
    outcome_.exception = error.what();
  } catch (...) {
    outcome_.exception = "something that is not a std::exception";
  }
  outcome_.returned = true;
}

ReceivedMessage ApplicationCall::next() {
  this_fiber::yield();
  const std::string_view left = std::string_view(request_.body).substr(body_read_);
  const auto until_gone = conditions_.gone_after_bytes.value_or(SIZE_MAX) - body_read_;
  if (!body_ended_ && !gone_ && until_gone > 0) {
    const auto piece = left.substr(0, std::min(conditions_.piece_bytes, until_gone));
    body_read_ += piece.size();
    body_ended_ = body_read_ == request_.body.size() && !conditions_.gone_after_bytes;
    return HttpRequest{.body = piece, .more_body = !body_ended_};
  }
  if (until_gone == 0) client_leaves();
  if (const auto waited = over_.wait(); !waited.has_value()) throw std::system_error(waited.error());
  if (++vain_calls_ == vain_calls_max) {
    outcome_.breach = "it went on to receive after 'http.disconnect'";
    throw ContractError(outcome_.breach);
  }
  return HttpDisconnect{};
}

void ApplicationCall::handle(MessageRef message) {
  this_fiber::yield();
  if (conditions_.slow) static_cast<void>(this_fiber::sleep_for(1ms));
  if (outcome_.messages == conditions_.gone_at_message) client_leaves();
  if (outcome_.messages == messages_max) {
    outcome_.endless = true;
    client_leaves();
  }
  if (gone_) {
    if (++vain_calls_ == vain_calls_max) {
      outcome_.breach = "it went on to send after the client had left";
      throw ContractError(outcome_.breach);
    }
    throw Disconnected(std::make_error_code(std::errc::broken_pipe));
  }
  try {
    judge_.take(message);
  } catch (const ContractError& error) {
    if (outcome_.breach.empty()) outcome_.breach = error.what();
    throw;
  }
  ++outcome_.messages;
  if (judge_.complete()) over_.set();
}

}  // namespace atlas::asgi
