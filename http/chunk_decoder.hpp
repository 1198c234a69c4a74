// Takes the chunked transfer coding off a body (RFC 9112 §7.1), up to its trailer section. llhttp is
// not asked here, since it hides line endings and extensions, which decide where a body ends.
#pragma once

#include <atlas/http/limits.hpp>
#include <atlas/http/parse_error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace atlas::http {

class ChunkDecoder {
 public:
  enum class Event : std::uint8_t {
    need_more,  // all bytes are consumed
    data,       // `data` is a piece of the body, not empty
    end,        // the last chunk's line is consumed; a trailer section follows, if only its empty line
    error,
  };
  struct Step {
    Event event;
    std::size_t consumed;
    std::string_view data;
  };

  /// `limits` must outlive the decoder.
  explicit ChunkDecoder(const Limits& limits) noexcept : limits_(limits) {}

  /// A new body begins.
  void start() noexcept;

  /// Takes bytes from the front, at most up to the end of a chunk's data.
  [[nodiscard]] Step decode(std::string_view bytes);

  /// After `error`: 400, or 413 for a body above the limit.
  [[nodiscard]] const ParseError& error() const noexcept { return error_; }

 private:
  enum class State : std::uint8_t {
    size_first,  // a chunk's line begins
    size,
    before_semicolon,  // spaces behind the size or behind an extension
    name_first,
    name,
    after_name,
    value_first,
    value,
    quoted,
    quoted_pair,
    quoted_end,
    line_feed,
    data,
    data_return,
    data_feed,
    end,
  };

  [[nodiscard]] Step take_data(std::string_view bytes, std::size_t used);
  [[nodiscard]] bool read_framing(char byte);
  [[nodiscard]] bool read_size(char byte);
  [[nodiscard]] bool add_size_digit(std::uint64_t digit);
  [[nodiscard]] bool read_extension(char byte);
  [[nodiscard]] bool end_extension(char byte, State after_space);
  [[nodiscard]] bool count_extension_byte(char byte);
  [[nodiscard]] bool end_line();
  bool go(State next) noexcept;
  bool refuse_extension();
  bool refuse(int status, std::string_view reason);

  const Limits& limits_;
  ParseError error_;
  State state_ = State::size_first;
  std::uint32_t size_digits_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
};

}  // namespace atlas::http
