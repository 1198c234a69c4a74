#include <atlas/http/chunk_decoder.hpp>

#include <atlas/http/characters.hpp>

#include <algorithm>
#include <limits>

namespace atlas::http {
namespace {

constexpr std::uint32_t size_digits_max = 16;  // so that a size cannot overflow

}  // namespace

void ChunkDecoder::start() noexcept {
  error_ = {};
  state_ = State::size_first;
  chunk_left_ = body_bytes_ = 0;
  extension_bytes_ = 0;
}

ChunkDecoder::Step ChunkDecoder::decode(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !error_ && state_ != State::end) {
    if (state_ == State::data) return take_data(bytes, used);
    if (!read_framing(bytes[used])) break;
    ++used;
  }
  if (error_) return {Event::error, used, {}};
  return {state_ == State::end ? Event::end : Event::need_more, used, {}};
}

ChunkDecoder::Step ChunkDecoder::take_data(std::string_view bytes, std::size_t used) {
  const std::uint64_t available = bytes.size() - used;
  const auto taken = static_cast<std::size_t>(std::min(available, chunk_left_));
  chunk_left_ -= taken;
  if (chunk_left_ == 0) state_ = State::data_return;
  return {Event::data, used + taken, bytes.substr(used, taken)};
}

// One byte of what is not data: a chunk's line, or the CRLF behind its data.
bool ChunkDecoder::read_framing(char byte) {
  switch (state_) {
    case State::size_first:
    case State::size: return read_size(byte);
    case State::line_feed: return byte == '\n' ? end_line() : refuse(400, "bare CR in a chunk line");
    case State::data_return:
      return byte == '\r' ? go(State::data_feed) : refuse(400, "chunk data does not end in CRLF");
    case State::data_feed:
      return byte == '\n' ? go(State::size_first) : refuse(400, "chunk data does not end in CRLF");
    default: return count_extension_byte(byte) && read_extension(byte);
  }
}

bool ChunkDecoder::read_size(char byte) {
  const int digit = hex_value(byte);
  if (digit >= 0) return add_size_digit(static_cast<std::uint64_t>(digit));
  if (state_ == State::size_first) return refuse(400, "chunk size is not a hexadecimal number");
  if (byte == '\r') return go(State::line_feed);
  if (byte != ';' && !is_ows(byte)) return refuse(400, "chunk size is not a hexadecimal number");
  return count_extension_byte(byte) && go(byte == ';' ? State::name_first : State::before_semicolon);
}

bool ChunkDecoder::add_size_digit(std::uint64_t digit) {
  if (state_ == State::size_first) size_digits_ = 0;
  if (++size_digits_ > size_digits_max) return refuse(400, "chunk size has too many digits");
  chunk_left_ = chunk_left_ << 4 | digit;
  return go(State::size);
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112 §7.1.1. White space is allowed
// before
// `;`, `=`, names and values, but not at the end of the line.
bool ChunkDecoder::read_extension(char byte) {
  switch (state_) {
    case State::before_semicolon:
      return is_ows(byte) || (byte == ';' ? go(State::name_first) : refuse_extension());
    case State::name_first:
      return is_ows(byte) || (is_in(CharacterClass::token, byte) ? go(State::name) : refuse_extension());
    case State::name:
      return is_in(CharacterClass::token, byte) ||
             (byte == '=' ? go(State::value_first) : end_extension(byte, State::after_name));
    case State::after_name:
      if (byte == '=') return go(State::value_first);
      return is_ows(byte) || (byte == ';' ? go(State::name_first) : refuse_extension());
    case State::value_first:
      if (byte == '"') return go(State::quoted);
      return is_ows(byte) || (is_in(CharacterClass::token, byte) ? go(State::value) : refuse_extension());
    case State::value:
      return is_in(CharacterClass::token, byte) || end_extension(byte, State::before_semicolon);
    case State::quoted:
      if (byte == '"') return go(State::quoted_end);
      if (byte == '\\') return go(State::quoted_pair);
      return is_in(CharacterClass::field_value, byte) || refuse_extension();
    case State::quoted_pair:
      return is_in(CharacterClass::field_value, byte) ? go(State::quoted) : refuse_extension();
    default:  // quoted_end
      return end_extension(byte, State::before_semicolon);
  }
}

// Behind a complete extension: the next one, the end of the line, or space and then a `;` at the latest.
bool ChunkDecoder::end_extension(char byte, State after_space) {
  if (byte == ';') return go(State::name_first);
  if (byte == '\r') return go(State::line_feed);
  return is_ows(byte) ? go(after_space) : refuse_extension();
}

bool ChunkDecoder::count_extension_byte(char byte) {
  if (byte != '\r' && ++extension_bytes_ > limits_.chunk_extension_bytes_max) {
    return refuse(400, "chunk extensions are too long");
  }
  return true;
}

bool ChunkDecoder::end_line() {
  const std::uint64_t bytes_max =
      limits_.body_bytes_max == 0 ? std::numeric_limits<std::uint64_t>::max() : limits_.body_bytes_max;
  if (chunk_left_ > bytes_max - body_bytes_) return refuse(413, "body is too large");
  body_bytes_ += chunk_left_;
  return go(chunk_left_ == 0 ? State::end : State::data);
}

bool ChunkDecoder::go(State next) noexcept {
  state_ = next;
  return true;
}

bool ChunkDecoder::refuse_extension() { return refuse(400, "malformed chunk extension"); }

bool ChunkDecoder::refuse(int status, std::string_view reason) {
  error_ = {status, reason};
  return false;
}

}  // namespace atlas::http
