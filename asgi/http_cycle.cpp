#include <atlas/asgi/http_cycle.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>
#include <atlas/http/target.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

namespace atlas::asgi {
namespace {

/// Sets the running fiber's suspend hook for a scope.
class HookScope {
 public:
  explicit HookScope(SuspendHook& hook) { Scheduler::current()->running()->suspend_hook = &hook; }
  ~HookScope() { Scheduler::current()->running()->suspend_hook = nullptr; }
  HookScope(const HookScope&) = delete;
  HookScope& operator=(const HookScope&) = delete;
};

/// Ends an application that was told, was cancelled, and still goes on: no handler of std::exception holds
/// it.
struct Ended {};

WriteLimits write_limits(const ServerOptions& options) noexcept {
  const auto window = options.timeouts.write;
  const auto seconds = static_cast<std::size_t>(std::chrono::ceil<std::chrono::seconds>(window).count());
  const auto rate = options.connection_limits.write_bytes_per_second_min;
  return {.stall_max = window, .stall_bytes = std::max<std::size_t>(1, rate * seconds)};
}

bool begins_body(const MessageRef& message) noexcept {
  return message.get_if<HttpResponseBody>() != nullptr || message.get_if<HttpResponsePathsend>() != nullptr ||
         message.get_if<HttpResponseZerocopysend>() != nullptr;
}

Endpoint endpoint(const std::string& host, std::optional<std::uint16_t> port) { return {host, port}; }

/// Whether an absolute target wants another scheme than the connection has (RFC 9110 §7.4).
bool is_misdirected(const http::RequestHead& head, std::string_view scheme) {
  const bool is_absolute = head.target.front() != '/' && head.target != "*";
  return is_absolute && !http::iequals(head.target.substr(0, head.target.find(':')), scheme);
}

/// As much of a head that was not read to its end as its answer depends on: one to HEAD has no body, whatever
/// was wrong (RFC 9110 §9.3.2).
http::RequestHead unread_head(std::string_view begun_line) noexcept {
  http::RequestHead head;
  if (begun_line.starts_with("HEAD ")) head.method_id = http::Method::head;
  return head;
}

}  // namespace

HttpCycle::HttpCycle(WorkerContext& worker)
    : worker_(worker),
      options_(worker.options),
      write_limits_(write_limits(options_)),
      reader_(options_, *this),
      response_(options_, output_),
      counts_cost_(options_.access_log_cost || options_.server_timing) {
  if (options_.server_timing) response_.show_cost(meter_);
  scope_.type = ScopeType::http;
  scope_.scheme = "http";
  scope_.root_path = options_.root_path;
  scope_.state = worker.state;
  scope_.extensions = {.http_response_trailers = true,
                       .http_response_early_hint = true,
                       .http_response_pathsend = true,
                       .http_response_zerocopysend = true,
                       .http_response_push = true,
                       .atlas = {.worker = worker.worker, .server = worker.server, .fibers = worker.fibers}};
  if (options_.access_log != AccessLogFormat::off) scope_.extensions.atlas.access_notes = &notes_;
}

void HttpCycle::serve(Stream& stream, ConnectionFacts& facts) {
  begin(stream, facts);
  const HookScope hook(*this);
  end_ = serve_requests();
  this_fiber::set_detail({});
}

void HttpCycle::begin(Stream& stream, ConnectionFacts& facts) {
  stream_ = &stream;
  facts_ = &facts;
  gone_ = false;
  reader_.attach(stream);
  output_.attach(stream, write_limits_);
  scope_.client = facts.client_host.empty() ? std::nullopt
                                            : std::optional(endpoint(facts.client_host, facts.client_port));
  scope_.server = endpoint(facts.server_host, facts.server_port);
  scope_.extensions.atlas.connection_id = facts.id;
}

// A client that sends many requests at once takes turns with the others.
HttpCycle::End HttpCycle::serve_requests() {
  constexpr std::size_t requests_per_turn_max = 64;
  for (std::size_t served = 1;; ++served) {
    if (served % requests_per_turn_max == 0) this_fiber::yield();
    const auto outcome = reader_.read_head();
    if (outcome == RequestReader::Outcome::idle) return served == 1 ? End::unasked : End::idle;
    if (outcome != RequestReader::Outcome::head) return answer_unread_head(outcome);
    if (const auto end = serve_request()) return *end;
  }
}

bool HttpCycle::write_without_waiting() noexcept {
  output_.flush_without_waiting();
  count_held_bytes();
  return output_.error() || output_.held_bytes() == 0;
}

void HttpCycle::write() { static_cast<void>(output_.flush()); }

// What is cut was written before: earlier answers are complete, and the client sees where the last breaks
// off.
HttpCycle::End HttpCycle::end() noexcept {
  if (output_.error()) end_ = End::cut;
  const bool goes_on = end_ == End::idle || end_ == End::unasked;
  if (goes_on && worker_.draining) end_ = End::close;
  if (end_ == End::cut) response_.ends_with_connection() ? stream_->reset() : stream_->abort();
  reader_.detach();
  output_.detach();
  count_held_bytes();
  return end_;
}

HttpCycle::End HttpCycle::answer_unread_head(RequestReader::Outcome outcome) {
  using Outcome = RequestReader::Outcome;
  if (outcome == Outcome::closed) return End::close;
  response_.begin(unread_head(reader_.begun_line()), false,
                  worker_.clock.date_line(Scheduler::current()->turn_time()));
  if (outcome == Outcome::timed_out) {
    refuse(408, "the request's head did not arrive in time");
  } else if (outcome == Outcome::crowded) {
    refuse(503, "the limit of buffered bytes is reached");
  } else {
    refuse(reader_.error().status, reader_.error().reason);
  }
  if (options_.access_log != AccessLogFormat::off) {
    started_ = Scheduler::current()->driver().now();
    write_access_log(reader_.begun_line(), {}, nullptr);
  }
  return End::linger;
}

std::optional<HttpCycle::End> HttpCycle::serve_request() {
  begin_request();
  if (is_misdirected(reader_.head(), scope_.scheme)) {
    refuse(421, "the target's scheme is not the connection's");
  } else if (fill_scope()) {
    call_application();
  } else {
    refuse(400, "the path has a malformed escape");
  }
  return end_request();
}

void HttpCycle::begin_request() {
  const auto& head = reader_.head();
  this_fiber::set_detail(head.request_line);
  if (counts_cost_) meter_.begin();
  in_request_ = true;
  body_ended_ = false;
  told_of_end_ = false;
  continue_due_ = head.expect_continue;
  worker_.counters.requests.increment();
  const bool is_last = ++facts_->requests == options_.connection_limits.requests_per_connection_max;
  if (options_.access_log != AccessLogFormat::off) started_ = Scheduler::current()->driver().now();
  response_.begin(head, !worker_.draining && !is_last,
                  worker_.clock.date_line(Scheduler::current()->turn_time()));
}

bool HttpCycle::fill_scope() {
  const auto& head = reader_.head();
  const auto path = http::decode_path(head.path, decoded_path_);
  if (!path) return false;
  scope_.http_version = head.version == http::http_1_0 ? "1.0" : "1.1";
  scope_.method = head.method;
  scope_.path = *path;
  scope_.raw_path = head.path;
  scope_.query_string = head.query;
  scope_.headers = head.headers;
  if (!scope_.root_path.empty() && *path != "*") {
    full_path_.assign(scope_.root_path).append(*path);
    scope_.path = full_path_;
  }
  return true;
}

/// What is asked of the server rather than of an application (RFC 9110 §9.3.7 and §9.3.8). False: nothing is.
/// Throws Disconnected, as the application's `send` does.
bool HttpCycle::answer_for_server() {
  const auto& head = reader_.head();
  const bool is_trace = head.method_id == http::Method::trace;
  if (is_trace && options_.trace == AnsweredBy::server) {
    refuse(501, "TRACE is not supported");
    return true;
  }
  if (head.path != "*" || options_.options_asterisk == AnsweredBy::application) return false;
  response_.send(HttpResponseStart{.status = 204});
  response_.send(HttpResponseBody{});
  return true;
}

// The one place where whatever an application throws ends.
void HttpCycle::call_application() noexcept {
  try {
    if (!answer_for_server()) call_in_time();
    if (!response_.complete() && !told_of_end_ && !client_lost()) {
      application_failed(response_.started() ? "it returned before the response was complete"
                                             : "it returned without sending a response");
    }
  } catch (const Disconnected&) {
    gone_ = true;
  } catch (const Ended&) {
    gone_ = true;
  } catch (const std::exception& error) {
    application_failed(error.what());
  } catch (...) {
    application_failed("it threw something that is not a std::exception");
  }
}

void HttpCycle::call_in_time() {
  if (options_.timeouts.request == Duration::zero()) return worker_.application(scope_, *this, *this);
  auto& deadline = scope_.extensions.atlas.deadline;
  deadline = Deadline::after(options_.timeouts.request);
  const DeadlineScope in_time(deadline);
  worker_.application(scope_, *this, *this);
}

void HttpCycle::application_failed(std::string_view what) {
  if (this_fiber::cancelled()) return;  // the server's patience has ended: no fault of the application's
  const bool overdue = scope_.extensions.atlas.deadline.passed();
  worker_.counters.application_failures.increment();
  log::error("the application {} on '{}': {}", overdue ? "exceeded the request timeout" : "failed",
             reader_.head().request_line, what);
  if (!response_.written() && !output_.error()) response_.send_error(overdue ? 503 : 500);
}

std::optional<HttpCycle::End> HttpCycle::end_request() {
  in_request_ = false;
  if (!scope_.state.same_as(worker_.state)) scope_.state = worker_.state;
  if (counts_cost_ || options_.access_log != AccessLogFormat::off) account_for_request();
  if (!response_.complete() || output_.error()) return End::cut;
  const bool body_read = discard_body();
  if (!response_.keep_alive() || !body_read) {
    const bool client_done =
        body_read && reader_.complete() && !reader_.has_more() && !stream_->input_ready();
    return client_done ? End::close : End::linger;
  }
  this_fiber::set_detail({});
  reader_.next_request();
  return std::nullopt;
}

void HttpCycle::account_for_request() {
  const auto cost = counts_cost_ ? meter_.end() : Cost();
  if (options_.access_log == AccessLogFormat::off) return;
  const auto& head = reader_.head();
  write_access_log(head.request_line, head.headers, options_.access_log_cost ? &cost : nullptr);
}

// A small body that the application did not want is read and forgotten, so that the connection can go
// on. A client that still waits for "100 Continue" would have to guess what we expect: it is closed.
bool HttpCycle::discard_body() {
  if (reader_.complete()) return true;
  if (continue_due_ || !response_.keep_alive()) return false;
  std::size_t discarded_bytes = 0;
  while (discarded_bytes <= options_.discarded_body_bytes_max) {
    const auto outcome = reader_.read_body();
    if (outcome == RequestReader::Outcome::complete) return true;
    if (outcome != RequestReader::Outcome::body) return false;
    discarded_bytes += reader_.body().size();
  }
  return false;
}

ReceivedMessage HttpCycle::next() {
  if (const auto piece = next_piece()) return *piece;
  tell_of_end();
  return HttpDisconnect{};
}

/// Nothing once there is no more to come.
std::optional<HttpRequest> HttpCycle::next_piece() {
  if (response_.complete() || client_lost()) return std::nullopt;
  if (body_ended_) return wait_for_disconnect(), std::nullopt;
  if (std::exchange(continue_due_, false) && !reader_.complete()) response_.send_continue();
  const auto outcome = reader_.read_body();
  switch (outcome) {
    case RequestReader::Outcome::body:
      body_ended_ = reader_.complete();
      return HttpRequest{.body = reader_.body(), .more_body = !body_ended_};
    case RequestReader::Outcome::complete: body_ended_ = true; return HttpRequest{};
    case RequestReader::Outcome::overdue:
      throw std::system_error(std::make_error_code(std::errc::timed_out), "receive");
    default: refuse_body(outcome); return std::nullopt;
  }
}

void HttpCycle::refuse_body(RequestReader::Outcome outcome) {
  gone_ = true;
  response_.forbid_keep_alive();
  if (outcome == RequestReader::Outcome::closed || response_.written()) return;
  if (outcome == RequestReader::Outcome::timed_out) {
    refuse(408, "the request's body did not arrive in time");
  } else {
    refuse(reader_.error().status, reader_.error().reason);
  }
}

void HttpCycle::refuse(int status, std::string_view reason) {
  log_refusal(status, reason);
  response_.send_error(status);
}

void HttpCycle::log_refusal(int status, std::string_view reason) {
  auto& lines = worker_.refusal_lines;
  if (!lines.take(Scheduler::current()->turn_time())) return;
  if (const auto left_out = lines.take_left_out(); left_out > 0)
    log::info("{} refusals were not logged: too many in a second", left_out);
  log::info("refused with {}: {} (client {})", status, reason, facts_->client_host);
}

// The client's next request may already lie in the input: only its end concerns the waiting application.
void HttpCycle::wait_for_disconnect() {
  while (!client_lost() && !stream_->input_ended() && !response_.complete()) {
    Wait wait({"disconnect", stream_});
    disconnect_waiter_ = wait.waker();
    const auto outcome = wait.park();
    if (outcome.status == WaitStatus::timed_out) throw std::system_error(outcome.error(), "receive");
    if (outcome.status == WaitStatus::cancelled) return;
  }
}

void HttpCycle::client_gone() noexcept {
  if (in_request_) disconnect_waiter_.wake();
}

void HttpCycle::handle(MessageRef message) {
  if (client_lost()) {
    tell_of_end();
    throw Disconnected(std::make_error_code(std::errc::not_connected));
  }
  // A client that still waits for "100 Continue" is not going to send the body that the next request lies
  // behind.
  const bool body_unsent = continue_due_ && begins_body(message);
  if (worker_.draining || body_unsent) response_.forbid_keep_alive();
  response_.send(message);
  if (response_.complete()) disconnect_waiter_.wake_queued();
}

/// Whether nothing that is sent arrives. A client that has closed only its own direction still reads.
bool HttpCycle::client_lost() const noexcept {
  return gone_ || stream_->aborted() || output_.error() || stream_->input_error();
}

// An application that will not hear of it must not keep others waiting, nor the server from stopping.
void HttpCycle::tell_of_end() {
  if (!std::exchange(told_of_end_, true)) return;
  if (this_fiber::cancelled()) throw Ended();
  this_fiber::yield();
}

void HttpCycle::before_suspend() noexcept {
  output_.flush_without_waiting();
  count_held_bytes();
  worker_.connections->before_suspend();
}

bool HttpCycle::exceeded() noexcept {
  count_held_bytes();
  return worker_.connections->over_budget();
}

void HttpCycle::count_held_bytes() noexcept {
  const auto held = output_.held_bytes() + reader_.held_bytes();
  worker_.held_bytes += held - std::exchange(counted_bytes_, held);
}

void HttpCycle::write_access_log(std::string_view request_line, http::HeadersView headers, const Cost* cost) {
  const auto now = Scheduler::current()->driver().now();
  asgi::write_access_log(options_.access_log, {.client_host = facts_->client_host,
                                               .request_line = request_line,
                                               .headers = headers,
                                               .status = response_.status(),
                                               .body_bytes = response_.body_bytes(),
                                               .duration = now - started_,
                                               .cost = cost,
                                               .notes = &notes_});
  notes_.clear();
}

}  // namespace atlas::asgi
