// The chunk decoder against a second reading of RFC 9112 §7.1, which has the whole body before it and goes
// through it with a grammar's functions instead of states.
#include "fuzz/fuzz_input.hpp"
#include "fuzz/fuzz_target.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/http/chunk_decoder.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

using http::ChunkDecoder;
using http::Limits;

/// Ends the reading: 0 where the bytes end before the body does, or the status that refuses it.
struct Stop {
  int status;
};

class Reader {
 public:
  Reader(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  std::string read() {
    try {
      while (read_chunk()) continue;
      return fmt::format("end at {}: {}", at_, body_);
    } catch (const Stop& stop) {
      return fmt::format("stop {}: {}", stop.status, body_);
    }
  }

 private:
  bool read_chunk() {
    const auto size = read_size();
    while (peek() != '\r') read_extension();
    expect("\r\n");
    if (size == 0) return false;
    const auto most =
        limits_.body_bytes_max == 0 ? std::numeric_limits<std::uint64_t>::max() : limits_.body_bytes_max;
    if (size > most - declared_) throw Stop{413};
    declared_ += size;
    const auto data = text_.substr(at_, size);
    body_ += data;
    at_ += data.size();
    expect("\r\n");
    return true;
  }

  std::uint64_t read_size() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::uint64_t size = 0;
    for (int count = 0;; ++count) {
      const auto digit = digits.find(http::to_lower(peek()));
      if (digit == std::string_view::npos && count == 0) throw Stop{400};
      if (digit == std::string_view::npos) return size;
      if (count == 16) throw Stop{400};
      size = size * 16 + digit;
      ++at_;
    }
  }

  void read_extension() {
    skip_space();
    if (!take_if(';')) throw Stop{400};
    skip_space();
    read_token();
    if (peek() == '\r' || peek() == ';') return;
    const bool space = http::is_ows(peek());
    // Space behind a name may belong to `=` or to the next `;`, but not to the end of the line.
    const auto behind_name = at_;
    if (space) skip_space();
    if (peek() == '=') return count_extension(), read_value();
    if (!space || peek() != ';') throw Stop{400};
    extension_bytes_ -= at_ - behind_name;
    at_ = behind_name;
  }

  void read_value() {
    skip_space();
    peek() == '"' ? read_quoted() : read_token();
    if (peek() != '\r' && peek() != ';' && !http::is_ows(peek())) throw Stop{400};
  }

  void read_quoted() {
    for (count_extension(); peek() != '"'; count_extension()) {
      if (peek() == '\\') count_extension();
      const char quoted = peek();
      if (!http::is_field_value({&quoted, 1})) throw Stop{400};
    }
    count_extension();
  }

  void read_token() {
    if (!is_tchar(peek())) throw Stop{400};
    while (is_tchar(peek())) count_extension();
  }

  static bool is_tchar(char c) { return http::is_token({&c, 1}); }

  void skip_space() {
    while (http::is_ows(peek())) count_extension();
  }

  bool take_if(char c) {
    if (peek() != c) return false;
    count_extension();
    return true;
  }

  /// Goes on by one byte of an extension.
  void count_extension() {
    if (peek() == '\r') throw Stop{400};
    ++at_;
    if (++extension_bytes_ > limits_.chunk_extension_bytes_max) throw Stop{400};
  }

  void expect(std::string_view line_end) {
    for (const char c : line_end) {
      if (peek() != c) throw Stop{400};
      ++at_;
    }
  }

  [[nodiscard]] char peek() const {
    if (at_ >= text_.size()) throw Stop{0};
    return text_[at_];
  }

  std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::string body_;
  std::uint64_t declared_ = 0;
  std::size_t extension_bytes_ = 0;
};

/// Feeds one decoder piece by piece.
class Decoding {
 public:
  explicit Decoding(const Limits& limits) : decoder_(limits) { decoder_.start(); }

  /// False when nothing more is wanted.
  bool feed(std::string_view piece) {
    const std::vector<char> memory(piece.begin(), piece.end());
    std::string_view rest(memory.data(), memory.size());
    while (!rest.empty() && result_.empty()) rest.remove_prefix(take(rest));
    return result_.empty();
  }

  [[nodiscard]] std::string result() const {
    return result_.empty() ? fmt::format("stop 0: {}", body_) : result_;
  }

 private:
  std::size_t take(std::string_view bytes) {
    const auto step = decoder_.decode(bytes);
    ATLAS_ASSERT(step.consumed <= bytes.size(), "more was consumed than given");
    consumed_ += step.consumed;
    switch (step.event) {
      case ChunkDecoder::Event::need_more:
        ATLAS_ASSERT(step.consumed == bytes.size(), "need_more left bytes unconsumed");
        break;
      case ChunkDecoder::Event::data:
        ATLAS_ASSERT(!step.data.empty() && step.data.size() <= step.consumed, "a piece of data is not there");
        body_ += step.data;
        break;
      case ChunkDecoder::Event::end: result_ = fmt::format("end at {}: {}", consumed_, body_); break;
      default: result_ = fmt::format("stop {}: {}", decoder_.error().status, body_);
    }
    return step.consumed;
  }

  ChunkDecoder decoder_;
  std::string body_;
  std::size_t consumed_ = 0;
  std::string result_;
};

}  // namespace

void fuzz_one(std::string_view bytes) {
  FuzzInput input(bytes);
  Limits limits;
  const auto tight = input.next();
  if ((tight & 1) != 0) limits.chunk_extension_bytes_max = 6;
  if ((tight & 2) != 0) limits.body_bytes_max = 10;
  if ((tight & 4) != 0) limits.body_bytes_max = 0;
  const auto expected = Reader(input.text(), limits).read();
  Decoding whole(limits);
  whole.feed(input.text());
  expect_same(whole.result(), expected, "a chunked body reads differently");

  Decoding pieces(limits);
  while (!input.text().empty() && pieces.feed(input.take_text(input.below(32) + 1))) continue;
  expect_same(pieces.result(), expected, "a chunked body reads differently in pieces");
}

}  // namespace atlas::testing
