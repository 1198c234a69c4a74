// The client's side of HTTP/1.1, as far as tests need it: responses out of bytes. Internal; see
// test_client.hpp.
#pragma once

#include <atlas/http/header.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::asgi {

using OwnedHeaders = std::vector<std::pair<std::string, std::string>>;

/// Of one response, and the interim ones before it.
class ResponseParser {
 public:
  /// `head_request`: what it answers is a HEAD, so that there is no body.
  explicit ResponseParser(bool head_request) : head_request_(head_request) {}

  /// Takes all that has come. Throws std::runtime_error for what is no HTTP, or goes on behind the response.
  void feed(std::string_view bytes);
  /// Nothing more will come.
  void end();

  [[nodiscard]] bool has_head() const noexcept { return state_ > State::head; }
  /// All of it has come, as its framing says.
  [[nodiscard]] bool complete() const noexcept { return state_ == State::complete; }
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const OwnedHeaders& headers() const noexcept { return headers_; }
  [[nodiscard]] const OwnedHeaders& trailers() const noexcept { return trailers_; }
  /// The `link` fields of 103 responses.
  [[nodiscard]] const std::vector<std::string>& early_hints() const noexcept { return early_hints_; }
  /// What has come of the body and was not taken.
  [[nodiscard]] std::string take_body() { return std::exchange(body_, {}); }
  [[nodiscard]] bool has_body() const noexcept { return !body_.empty(); }

 private:
  enum class State : std::uint8_t {
    head,
    counted,
    chunk_line,
    chunk,
    chunk_end,
    until_close,
    trailers,
    complete
  };

  [[nodiscard]] bool step();
  [[nodiscard]] bool read_head();
  [[nodiscard]] bool read_chunk_line();
  [[nodiscard]] bool read_trailers();
  [[nodiscard]] bool take_counted(State next);
  void choose_framing();
  [[nodiscard]] std::optional<std::string> take_line();
  [[nodiscard]] std::string_view value_of(std::string_view name) const noexcept;

  bool head_request_;
  State state_ = State::head;
  std::string input_;
  int status_ = 0;
  OwnedHeaders headers_;
  OwnedHeaders trailers_;
  std::vector<std::string> early_hints_;
  std::string body_;
  std::size_t left_ = 0;  // of the body, or of a chunk
};

}  // namespace atlas::asgi
