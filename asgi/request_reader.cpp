#include <atlas/asgi/request_reader.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/scheduler.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace atlas::asgi {

void RequestReader::detach() noexcept {
  stream_ = nullptr;
  input_ = {};
  head_chunk_ = {};
  body_deadline_ = {};
  body_waited_ = {};
  body_bytes_ = 0;
  parser_.reset();
}

RequestReader::Outcome RequestReader::read_head() {
  Deadline deadline;
  for (;;) {
    if (!input_.empty()) {
      if (const auto parsed = parse()) return last_ = *parsed;
      input_ = {};
    }
    const bool must_wait = !stream_->input_ready();
    if (must_wait && !parser_.started()) return Outcome::idle;
    if (must_wait && held_bytes() > 0 && budget_.exceeded()) return last_ = Outcome::crowded;
    if (must_wait && deadline.is_never()) deadline = Deadline::after(options_.timeouts.header);
    if (const auto failure = read_chunk(deadline)) return last_ = *failure;
  }
}

RequestReader::Outcome RequestReader::read_body() {
  if (!reading_body()) return last_;
  for (;;) {
    if (const auto parsed = parse()) return last_ = *parsed;
    // The head's views must stay valid, those of the body need not: the first chunk is kept.
    if (auto emptied = std::move(input_); !head_chunk_) head_chunk_ = std::move(emptied);
    const auto failure = read_body_chunk();
    if (failure == Outcome::overdue) return Outcome::overdue;
    if (failure) return last_ = *failure;
  }
}

std::optional<RequestReader::Outcome> RequestReader::read_body_chunk() {
  auto& scheduler = *Scheduler::current();
  const TimePoint began = scheduler.turn_time();
  if (body_deadline_.is_never()) body_deadline_ = next_body_deadline(began);
  const auto failure = read_chunk(body_deadline_);
  body_waited_ += scheduler.turn_time() - began;
  if (failure == Outcome::timed_out && !body_deadline_.passed()) return Outcome::overdue;
  body_deadline_ = {};
  body_bytes_ += input_.bytes().size();
  return failure;
}

// Only the time counts in which we wait: a client cannot send faster than the application reads.
Deadline RequestReader::next_body_deadline(TimePoint now) const noexcept {
  const auto& timeouts = options_.timeouts;
  const auto rate = options_.connection_limits.body_bytes_per_second_min;
  if (rate == 0) return Deadline(now + timeouts.body);
  constexpr std::uint64_t seconds_max = std::uint64_t{1} << 32;  // a Duration holds them
  const std::chrono::seconds due(std::min(body_bytes_ / rate + 1, seconds_max));
  const auto allowed = timeouts.rate_grace + due;
  return Deadline(now + std::min<Duration>(timeouts.body, allowed - body_waited_));
}

bool RequestReader::complete() {
  if (reading_body() && parser_.parse({}).event == http::ParseEvent::complete) last_ = Outcome::complete;
  return last_ == Outcome::complete;
}

std::optional<RequestReader::Outcome> RequestReader::parse() {
  const auto step = parser_.parse(input_.bytes());
  input_.consume(step.consumed);
  switch (step.event) {
    case http::ParseEvent::need_more: return std::nullopt;
    case http::ParseEvent::head: return Outcome::head;
    case http::ParseEvent::body: return Outcome::body;
    case http::ParseEvent::complete: return Outcome::complete;
    case http::ParseEvent::error: break;
  }
  return Outcome::refused;
}

std::optional<RequestReader::Outcome> RequestReader::read_chunk(Deadline deadline) {
  auto chunk = stream_->read_chunk(deadline);
  if (!chunk && chunk.error() == std::errc::timed_out) return Outcome::timed_out;
  if (!chunk || chunk->empty()) return Outcome::closed;
  input_ = *std::move(chunk);
  return std::nullopt;
}

void RequestReader::next_request() noexcept {
  ATLAS_ASSERT(last_ == Outcome::complete, "the next request was begun before the last one was read");
  head_chunk_ = {};
  body_waited_ = {};
  body_bytes_ = 0;
  parser_.reset();
}

}  // namespace atlas::asgi
