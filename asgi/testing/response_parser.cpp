#include <atlas/asgi/testing/response_parser.hpp>

#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace atlas::asgi {
namespace {

[[noreturn]] void fail(std::string_view what, std::string_view text) {
  throw std::runtime_error(fmt::format("the response has {}: '{}'", what, text));
}

std::size_t number_of(std::string_view text, int base) {
  std::size_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || stop != text.data() + text.size()) fail("a malformed number", text);
  return number;
}

std::pair<std::string, std::string> field_of(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) fail("a malformed header", line);
  return {std::string(line.substr(0, colon)), std::string(http::trim_ows(line.substr(colon + 1)))};
}

}  // namespace

void ResponseParser::feed(std::string_view bytes) {
  input_ += bytes;
  while (step()) {
  }
  if (complete() && !input_.empty()) fail("bytes behind its end", input_);
}

void ResponseParser::end() {
  if (state_ == State::until_close) state_ = State::complete;
}

/// False when more must come first.
bool ResponseParser::step() {
  switch (state_) {
    case State::head: return read_head();
    case State::counted: return take_counted(State::complete);
    case State::chunk_line: return read_chunk_line();
    case State::chunk: return take_counted(State::chunk_end);
    case State::chunk_end:
      if (!take_line()) return false;
      state_ = State::chunk_line;
      return true;
    case State::until_close: body_ += std::exchange(input_, {}); return false;
    case State::trailers: return read_trailers();
    case State::complete: return false;
  }
  return false;
}

bool ResponseParser::read_head() {
  if (input_.find("\r\n\r\n") == std::string::npos) return false;
  const auto status_line = *take_line();
  if (!status_line.starts_with("HTTP/1.1 ") || status_line.size() < 12)
    fail("a malformed status line", status_line);
  status_ = static_cast<int>(number_of(std::string_view(status_line).substr(9, 3), 10));
  headers_.clear();
  for (auto line = take_line(); line && !line->empty(); line = take_line())
    headers_.push_back(field_of(*line));
  if (!http::is_informational(status_)) return choose_framing(), true;
  for (const auto& [name, value] : headers_) {
    if (status_ == 103 && http::iequals(name, "link")) early_hints_.push_back(value);
  }
  return true;
}

void ResponseParser::choose_framing() {
  const auto length = value_of("content-length");
  if (head_request_ || http::forbids_body(status_)) {
    state_ = State::complete;
  } else if (http::iequals(value_of("transfer-encoding"), "chunked")) {
    state_ = State::chunk_line;
  } else if (length.empty()) {
    state_ = State::until_close;
  } else {
    left_ = number_of(length, 10);
    state_ = left_ == 0 ? State::complete : State::counted;
  }
}

bool ResponseParser::take_counted(State next) {
  const auto count = std::min(left_, input_.size());
  body_.append(input_, 0, count);
  input_.erase(0, count);
  left_ -= count;
  if (left_ > 0) return false;
  state_ = next;
  return true;
}

bool ResponseParser::read_chunk_line() {
  const auto line = take_line();
  if (!line) return false;
  left_ = number_of(*line, 16);
  state_ = left_ == 0 ? State::trailers : State::chunk;
  return true;
}

bool ResponseParser::read_trailers() {
  const auto line = take_line();
  if (!line) return false;
  if (line->empty()) {
    state_ = State::complete;
  } else {
    trailers_.push_back(field_of(*line));
  }
  return true;
}

/// Without its CRLF.
std::optional<std::string> ResponseParser::take_line() {
  const auto end = input_.find("\r\n");
  if (end == std::string::npos) return std::nullopt;
  auto line = input_.substr(0, end);
  input_.erase(0, end + 2);
  return line;
}

std::string_view ResponseParser::value_of(std::string_view name) const noexcept {
  const auto found =
      std::ranges::find_if(headers_, [&](const auto& field) { return http::iequals(field.first, name); });
  return found == headers_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace atlas::asgi
