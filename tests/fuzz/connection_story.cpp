#include "fuzz/connection_story.hpp"

#include "fuzz/fuzz_target.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/core/event.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/log_sink.hpp>
#include <atlas/http/request_parser.hpp>
#include <atlas/http/target.hpp>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <utility>

namespace atlas::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// A log that takes no line: a fuzzer has no use for thousands of them a second. It needs a loop of libuv's.
class SilentLog {
 public:
  SilentLog() : thread_([this] { run_event_loop([this] { keep_open(); }); }) { opened_.acquire(); }
  ~SilentLog() {
    done_.set();
    thread_.join();
  }
  SilentLog(const SilentLog&) = delete;
  SilentLog& operator=(const SilentLog&) = delete;

  [[nodiscard]] log::Sink& sink() noexcept { return *sink_; }

 private:
  void keep_open() {
    sink_ = log::Sink::open({.target = "/dev/null", .level = log::Level::off}).value();
    opened_.release();
    static_cast<void>(done_.wait());
    sink_.reset();
  }

  std::unique_ptr<log::Sink> sink_;
  std::binary_semaphore opened_{0};
  Event done_;
  std::thread thread_;
};

log::Sink& silent_log() {
  static SilentLog log;
  return log.sink();
}

/// Says that the application is at work.
class Serving {
 public:
  explicit Serving(bool& serving) : serving_(serving) { serving_ = true; }
  ~Serving() { serving_ = false; }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  bool& serving_;
};

asgi::ServerOptions chosen_options(FuzzInput& input) {
  auto options = plain_options();
  const auto tight = input.next();
  if ((tight & 1) != 0) options.write_buffer_bytes_max = 64;
  if ((tight & 2) != 0) options.discarded_body_bytes_max = 4;
  if ((tight & 4) != 0) options.limits.body_bytes_max = 16;
  if ((tight & 8) != 0) options.timeouts.request = std::chrono::seconds(1);
  if ((tight & 16) != 0) options.root_path = "/root";
  if ((tight & 32) != 0) options.server_name = "fuzzed";
  return options;
}

MemoryStreamOptions chosen_stream(FuzzInput& input) {
  MemoryStreamOptions options;
  const std::size_t capacities[] = {64 * 1024, 1, 100, 5000};
  options.capacity_bytes = input.one_of(capacities);
  const std::size_t deliveries[] = {64 * 1024, 1, 7, 1000};
  options.delivery_bytes_max = input.one_of(deliveries);
  return options;
}

std::string request_text(std::string_view method, std::string_view path, std::string_view query) {
  return fmt::format("{} {}?{}", method, path, query);
}

}  // namespace

ConnectionStory::ConnectionStory(FuzzInput input)
    : input_(input),
      options_(chosen_options(input_)),
      harness_(
          std::in_place,
          [this](const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
            serve(scope, receive, send);
          },
          options_),
      peer_([this] {
        harness_->loop().scheduler().set_log_sink(&silent_log());
        return harness_->connect(chosen_stream(input_));
      }()) {}

void ConnectionStory::run() {
  while (!input_.text().empty()) client_step();
  harness_->run();
  while (input_.has_choices() && harness_->connections_open() > 0) client_step();
  peer_.resume_reading();
  harness_->advance(hours(24));
  if (serving_) {  // an application may wait for as long as its client stays
    peer_.close();
    harness_->advance(hours(24));
  }
  ATLAS_ASSERT(harness_->connections_open() == 0, "a connection is left");
  ATLAS_ASSERT(harness_->loop().scheduler().fibers_alive() == 0, "a fiber is left");
  const auto expected = expected_requests();
  check_calls(expected);
  check_responses(expected);
  harness_.reset();  // its pools assert that they got everything back
}

// ---- the client ----

void ConnectionStory::client_step() {
  switch (input_.below(16)) {
    case 0: return send_piece(input_.text().size());
    case 1:
    case 2:
    case 3: return send_piece(input_.next() + std::size_t{1});
    case 4:
    case 5: return harness_->run();
    case 6: return disturb(), harness_->advance(milliseconds(input_.next() * 20));
    case 7: return disturb(), harness_->advance(std::chrono::seconds(input_.next()));
    case 8: return disturb(), peer_.stop_reading();
    case 9: return peer_.resume_reading();
    case 10: return peer_.read(input_.next());
    case 11: return disturb(), peer_.shutdown_write();
    case 12: return disturb(), peer_.close();
    case 13: return disturb(), peer_.reset();
    case 14: return drain(milliseconds(input_.next() * 20));
    default: return send_piece(1);
  }
}

void ConnectionStory::send_piece(std::size_t bytes) {
  const auto piece = input_.take_text(bytes);
  sent_ += piece;
  peer_.send(piece);
}

// A server is stopped once.
void ConnectionStory::drain(Duration patience) {
  disturb();
  if (!std::exchange(draining_, true)) harness_->drain(patience);
}

// ---- the application ----

void ConnectionStory::serve(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send) {
  ATLAS_ASSERT(scope.path.starts_with(scope.root_path) || scope.path == "*", "a path is not below its root");
  Call& call = calls_.emplace_back();
  call.request = request_text(scope.method, scope.raw_path, scope.query_string);
  call.letter = static_cast<char>('a' + (calls_.size() - 1) % 26);
  const Serving serving(serving_);
  input_.coin() ? improvise(call, receive, send) : answer_plainly(call, receive, send);
}

void ConnectionStory::answer_plainly(Call& call, asgi::Receive& receive, asgi::Send& send) {
  if (!read_body(receive)) return;
  send(asgi::HttpResponseStart{.headers = {{"x-letter", std::string(1, call.letter)}}});
  send_body(call, send, false);
}

void ConnectionStory::improvise(Call& call, asgi::Receive& receive, asgi::Send& send) {
  disturb();
  for (int steps = 0; steps < 20; ++steps) {
    try {
      if (!improvise_once(call, receive, send)) return;
    } catch (const asgi::ContractError&) {
      if (input_.coin()) throw;
    }
  }
}

bool ConnectionStory::improvise_once(Call& call, asgi::Receive& receive, asgi::Send& send) {
  switch (input_.below(16)) {
    case 0: return false;
    case 1:
    case 2: static_cast<void>(receive()); break;
    case 3: static_cast<void>(read_body(receive)); break;
    case 4:
    case 5: send_start(call, send); break;
    case 6:
    case 7: send_body(call, send, true); break;
    case 8:
    case 9: send_body(call, send, false); break;
    case 10:
      send(asgi::HttpResponseTrailers{.headers = {{"x-trailer", "t"}}, .more_trailers = input_.coin()});
      break;
    case 11: send(asgi::HttpResponseEarlyHint{.links = {"</a>; rel=preload"}}); break;
    case 12: static_cast<void>(this_fiber::sleep_for(milliseconds(input_.next() * 10))); break;
    case 13: this_fiber::yield(); break;
    case 14: send_nonsense(send); break;
    default:
      if (input_.coin()) throw std::runtime_error("as the fuzzer wants it");
      throw 1;
  }
  return true;
}

void ConnectionStory::send_start(Call& call, asgi::Send& send) {
  const int statuses[] = {200, 204, 205, 206, 304, 404, 500, 599, 101, 99, 600, 302};
  asgi::HttpResponseStart start{.status = input_.one_of(statuses)};
  start.headers.add("x-letter", std::string(1, call.letter));
  const auto extra = input_.next();
  if ((extra & 1) != 0) start.headers.add("content-length", std::to_string(input_.next()));
  if ((extra & 2) != 0) start.headers.add("connection", "close");
  if ((extra & 4) != 0) start.headers.add("transfer-encoding", "chunked");
  if ((extra & 8) != 0)
    start.headers.add("x-a", std::string_view(input_.coin() ? "b\r\nx-letter: !" : "b\n\nHTTP/1.1 200 OK"));
  if ((extra & 16) != 0) start.headers.add("date", "now");
  if ((extra & 32) != 0) start.headers.add("content-length", "x");
  if ((extra & 128) != 0) start.headers.add("upgrade", "a/2");
  start.trailers = (extra & 64) != 0;
  send(start);
}

void ConnectionStory::send_body(Call& call, asgi::Send& send, bool more_body) {
  const std::size_t sizes[] = {3, 0, 1, 10, 255, 1000, 9000, 70'000};
  const std::string piece(input_.one_of(sizes), call.letter);
  call.body_bytes += piece.size();  // also when it throws half-way
  try {
    send(asgi::HttpResponseBody{.body = piece, .more_body = more_body});
  } catch (const asgi::ContractError&) {
    call.body_bytes -= piece.size();
    throw;
  }
}

void ConnectionStory::send_nonsense(asgi::Send& send) {
  switch (input_.below(4)) {
    case 0: return send(asgi::HttpResponsePush{.path = "/a"});
    case 1: return send(asgi::OpenMessage{.type = "http.response.confetti"});
    case 2: return send(asgi::LifespanStartupComplete{});
    default: return send(asgi::HttpResponseTrailers{.headers = {{"content-length", "5"}}});
  }
}

// ---- the judge ----

std::vector<ConnectionStory::Expected> ConnectionStory::expected_requests() {
  std::vector<Expected> expected;
  std::string bytes = sent_;
  std::span<char> rest(bytes);
  http::RequestParser parser(options_.limits);
  for (;;) {
    const auto step = parser.parse(rest);
    rest = rest.subspan(step.consumed);
    if (step.event == http::ParseEvent::need_more || step.event == http::ParseEvent::error) {
      unread_.head = parser.begun_line().starts_with("HEAD ");
      return expected;
    }
    if (step.event == http::ParseEvent::complete) parser.reset();
    if (step.event != http::ParseEvent::head) continue;
    const auto& head = parser.head();
    ByteBuffer scratch;
    expected.push_back({.request = request_text(head.method, head.path, head.query),
                        .asked = {.head = head.method == "HEAD", .http_1_0 = head.version == http::http_1_0},
                        .refused = !http::decode_path(head.path, scratch)});
    if (expected.back().refused) return expected;
  }
}

void ConnectionStory::check_calls(const std::vector<Expected>& expected) const {
  ATLAS_ASSERT(calls_.size() <= expected.size(), "the application was called for what is no request");
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    expect_same(calls_[i].request, expected[i].request, "the application was called for another request");
    ATLAS_ASSERT(!expected[i].refused, "a request that was refused has reached the application");
  }
}

void ConnectionStory::check_responses(const std::vector<Expected>& expected) {
  std::string_view rest = peer_.received();
  std::size_t answered = 0;
  bool goes_on = true;
  while (!rest.empty()) {
    ATLAS_ASSERT(goes_on, "there is something behind the last response");
    const auto* request = answered < expected.size() ? &expected[answered] : nullptr;
    const auto before = rest;
    ReadResponse response;
    try {
      response = read_response(rest, request != nullptr ? request->asked : unread_, peer_.closed());
    } catch (const BadResponse& bad) {
      expect_same(before, bad.what(), "a response is malformed");
    }
    if (response.status < 200 && response.complete) continue;
    ATLAS_ASSERT(response.complete || disturbed_, "a response breaks off without a reason");
    if (response.head_complete) check_response(response, answered, request != nullptr && request->asked.head);
    goes_on = response.keeps_alive && response.complete;
    ++answered;
  }
  ATLAS_ASSERT(answered <= expected.size() + 1, "there are more responses than requests");
  ATLAS_ASSERT(disturbed_ || !goes_on || answered >= expected.size(), "a request got no answer");
}

// Responses without the letter are the server's own.
void ConnectionStory::check_response(const ReadResponse& response, std::size_t index, bool head_asked) const {
  const auto letter = response.find("x-letter");
  if (!letter) {
    ATLAS_ASSERT(response.status >= 400 && !response.keeps_alive, "a refusal does not end the connection");
    return;
  }
  ATLAS_ASSERT(index < calls_.size(), "an application has answered what is no request");
  const Call& call = calls_[index];
  ATLAS_ASSERT(!response.find("x-a"), "a response was split");
  expect_same(*letter, {&call.letter, 1}, "a response answers another request");
  const bool only_its_letter = response.body.find_first_not_of(call.letter) == std::string::npos;
  ATLAS_ASSERT(only_its_letter && response.body.size() <= call.body_bytes, "a response has another's body");
  const bool without_body =
      head_asked || response.status == 204 || response.status == 205 || response.status == 304;
  const auto bytes = without_body ? 0 : call.body_bytes;
  ATLAS_ASSERT(!response.complete || response.body.size() == bytes, "a response looks complete and is not");
}

}  // namespace atlas::testing
