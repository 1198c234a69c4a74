// The HTTP/1 request parser: bytes in, events out. It knows no socket, no clock and no fiber; a test
// can feed it one byte at a time.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/http/chunk_decoder.hpp>
#include <atlas/http/field_memory.hpp>
#include <atlas/http/field_parser.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/limits.hpp>
#include <atlas/http/parse_error.hpp>
#include <atlas/http/request_head.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace atlas::http {

enum class ParseEvent : std::uint8_t {
  need_more,  // all given bytes are consumed, and nothing is due
  head,       // `head()` is there
  body,       // `body()` is there, and not empty
  complete,   // the request ends here; `trailers()` is there
  error,      // the request is refused: `error()` says why; no later call answers anything else
};

struct ParseStep {
  ParseEvent event;
  std::size_t consumed;  // bytes taken from the front of those given
};

/// Parses the requests of one connection, one after the other. For each request the events are
///
///     need_more* head (need_more | body)* complete        and `error` may come in place of any of them
///
/// one for each call. Whoever drives the parser calls `parse` with the unconsumed bytes until it answers
/// `need_more`, then again when more bytes have come. `complete` always takes a call of its own, also where
/// there is no body: once `head` was answered, or the `body` that ends a declared length, the next call
/// answers `complete` whatever it is given, be it nothing. (A chunked body ends with the bytes of its last
/// chunk and trailer section, so there the next call may answer `need_more`.) After `complete` every call
/// answers `complete` and consumes nothing, until `reset()`: the bytes left over belong to the next request.
/// After `head` one may stop, answer early, and close.
///
/// A request that wants to upgrade is parsed like any other: the bytes behind `complete` are the new
/// protocol's.
///
/// Refused is every request that two readers could read in two ways. That is stricter than RFC 9112 in three
/// points: bare line feeds are refused, and so are tabs in Transfer-Encoding and repeated Content-Length
/// fields of equal value (who sends them is broken, or is looking for a gap to smuggle through).
///
/// A parser allocates while it warms up and then no more; across `reset()` it keeps a few KiB at most.
class RequestParser {
 public:
  /// `limits` must outlive the parser.
  explicit RequestParser(const Limits& limits);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser() = default;

  /// Takes bytes from the front of `bytes`. Header names are put into lower case where they lie; otherwise
  /// the bytes are left as they are. The caller keeps consumed bytes only as long as it looks at `head()`
  /// or `body()`, and need not keep those of calls that answered `need_more`.
  [[nodiscard]] ParseStep parse(std::span<char> bytes);

  /// After `head`. RequestHead says how long it is valid.
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }

  /// After `body`: a piece of the body, without chunked framing, and a view of the bytes just given.
  [[nodiscard]] std::string_view body() const noexcept { return body_; }

  /// After `complete`: the trailer fields of a chunked body, as views of the parser's own memory, valid until
  /// `reset()`. Content-Length, Transfer-Encoding and Host are refused among them with 400.
  [[nodiscard]] HeadersView trailers() const noexcept { return trailer_parser_.fields(); }

  /// After `error`.
  [[nodiscard]] const ParseError& error() const noexcept { return error_; }

  /// The request line, or as much of it as has come, of a head that is not complete or was refused: for logs.
  /// Without its line ending, and with whatever bytes the client sent. As long as the bytes live of the last
  /// call to `parse`.
  [[nodiscard]] std::string_view begun_line() const noexcept;

  /// Ready for the next request of the connection, or of another one. Memory is kept, unless it is much.
  void reset();

  /// Whether a byte of a request was seen since `reset()`, or half of an empty line; whole ones before it are
  /// not counted. A connection whose parser has not started is idle, and may be closed without an answer.
  [[nodiscard]] bool started() const noexcept { return state_ != State::idle || empty_line_bytes_ % 2 == 1; }

  /// Bytes of heads and trailers that it keeps because they did not come in one piece.
  [[nodiscard]] std::size_t held_bytes() const noexcept {
    return head_pieces_.size() + trailer_pieces_.size();
  }

 private:
  enum class State : std::uint8_t {
    idle,  // before the request line: nothing, or empty lines
    request_line,
    header_begin,  // behind the request line
    header_fields,
    head_done,  // `head` was answered
    length_body,
    chunked_body,
    trailer_fields,
    complete,
    failed,
  };

  // Steps, used in the source file only. Inline, since position-independent code calls others through a
  // table.
  [[nodiscard]] inline ParseStep parse_head(std::span<char> bytes);
  [[nodiscard]] inline std::size_t skip_empty_lines(std::string_view bytes);
  inline void begin_request_line(char first);
  [[nodiscard]] inline std::size_t take_request_line(std::string_view bytes);
  inline void read_line(std::string_view line);
  [[nodiscard]] inline std::size_t begin_header_fields(std::string_view bytes);
  [[nodiscard]] inline std::size_t take_header_fields(std::string_view bytes);
  inline std::string_view join(std::string_view piece);
  [[nodiscard]] inline ParseStep finish_head(std::span<char> last_piece, std::size_t used);
  [[nodiscard]] inline ParseError finish_header_fields(std::span<char> section);

  inline void begin_body();
  [[nodiscard]] ParseStep parse_length_body(std::span<char> bytes);
  [[nodiscard]] ParseStep parse_chunked_body(std::span<char> bytes);
  [[nodiscard]] ParseStep parse_trailers(std::span<char> bytes, std::size_t used);

  // Cold: their code stays away from that of requests which are sound.
  [[nodiscard, gnu::cold]] ParseStep refuse_head(std::string_view head, std::size_t used);
  [[nodiscard, gnu::cold]] ParseStep fail_step(ParseError error, std::size_t used);
  [[gnu::cold]] void fail(ParseError error);
  [[nodiscard, gnu::cold]] std::string_view join_to_pieces(std::string_view piece);

  const Limits& limits_;
  State state_ = State::idle;
  RequestHead head_;
  std::string_view body_;
  ParseError error_;
  bool recalled_ = false;  // the header fields
  FieldMemory field_memory_;
  FieldParser field_parser_;
  FieldParser trailer_parser_;
  ChunkDecoder chunk_decoder_;
  ByteBuffer head_pieces_;     // the head so far, when it did not come in one piece
  std::string_view refused_;   // what was refused, when it did
  ByteBuffer trailer_pieces_;  // the trailer section so far
  std::size_t empty_line_bytes_ = 0;
  std::size_t line_bytes_ = 0;   // of the request line, with its line ending
  std::uint64_t body_left_ = 0;  // of a declared length
};

}  // namespace atlas::http
