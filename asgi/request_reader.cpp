#include <atlas/asgi/request_reader.hpp>

#include <atlas/core/assert.hpp>

#include <utility>

namespace atlas::asgi {

void RequestReader::detach() noexcept {
  stream_ = nullptr;
  input_ = {};
  head_chunk_ = {};
  body_deadline_ = {};
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
    if (body_deadline_.is_never()) body_deadline_ = Deadline::after(options_.timeouts.body);
    const auto failure = read_chunk(body_deadline_);
    if (failure == Outcome::timed_out && !body_deadline_.passed()) return Outcome::overdue;
    body_deadline_ = {};
    if (failure) return last_ = *failure;
  }
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
  parser_.reset();
}

}  // namespace atlas::asgi
