// Reads requests from a stream, one after the other: heads, and bodies piece by piece. Suspends where
// bytes are missing; knows nothing of applications and responses.
#pragma once

#include <atlas/asgi/options.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/http/request_parser.hpp>

#include <optional>
#include <string_view>

namespace atlas::asgi {

/// Says whether there is memory for more of what clients send.
class ReadBudget {
 public:
  [[nodiscard]] virtual bool exceeded() noexcept = 0;

 protected:
  ~ReadBudget() = default;
};

class RequestReader {
 public:
  enum class Outcome : std::uint8_t {
    head,       ///< `head()` is there.
    idle,       ///< No byte of a next request has come: nobody needs a fiber now.
    body,       ///< `body()` is there, and not empty.
    complete,   ///< The request has ended.
    refused,    ///< The request is malformed, or over a limit: see `error()`.
    timed_out,  ///< The client is too slow.
    crowded,    ///< The budget has no room for the rest of a head that does not come in one piece.
    overdue,    ///< A DeadlineScope of the caller has ended the wait: the client may yet be in time.
    closed,     ///< The client is gone, or this fiber is cancelled.
  };

  /// Both must outlive the reader.
  RequestReader(const ServerOptions& options, ReadBudget& budget)
      : options_(options), budget_(budget), parser_(options.limits) {}

  void attach(Stream& stream) noexcept { stream_ = &stream; }
  /// Gives all buffers back.
  void detach() noexcept;

  /// Suspends until a head is complete: head, idle, refused, timed_out, crowded or closed.
  [[nodiscard]] Outcome read_head();
  /// Suspends until a piece of the body has come: body, complete, refused, timed_out, overdue or closed.
  /// After any but `body` and `overdue` it answers the same again.
  [[nodiscard]] Outcome read_body();
  /// Prepares for the next `read_head`. The former request must be complete.
  void next_request() noexcept;

  /// Valid until `next_request`.
  [[nodiscard]] const http::RequestHead& head() const noexcept { return parser_.head(); }
  /// Valid until the next `read_body`.
  [[nodiscard]] std::string_view body() const noexcept { return parser_.body(); }
  [[nodiscard]] const http::ParseError& error() const noexcept { return parser_.error(); }
  /// What has come of the request line when `read_head` answers otherwise than `head`: for logs.
  [[nodiscard]] std::string_view begun_line() const noexcept { return parser_.begun_line(); }
  /// Whether the whole request was read, as far as that can be told without reading on.
  [[nodiscard]] bool complete();
  /// Bytes of a head that it keeps beside the chunks, because they did not come in one piece.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return parser_.held_bytes(); }
  /// Whether bytes behind the request were read with it.
  [[nodiscard]] bool has_more() const noexcept { return !input_.empty(); }

 private:
  /// Nothing when more bytes are needed.
  [[nodiscard]] std::optional<Outcome> parse();
  /// Replaces `input_`; what went wrong, if something did.
  [[nodiscard]] std::optional<Outcome> read_chunk(Deadline deadline);
  /// As `read_chunk`, in the time that a body's piece may take; or overdue.
  [[nodiscard]] std::optional<Outcome> read_body_chunk();
  [[nodiscard]] Deadline next_body_deadline(TimePoint now) const noexcept;
  [[nodiscard]] bool reading_body() const noexcept {
    return last_ == Outcome::head || last_ == Outcome::body;
  }

  const ServerOptions& options_;
  ReadBudget& budget_;
  Stream* stream_ = nullptr;
  http::RequestParser parser_;
  Chunk input_;
  Chunk head_chunk_;              // where the head lies, once the body has gone on to other chunks
  Deadline body_deadline_;        // for the piece that is waited for
  Duration body_waited_{};        // by us for the client
  std::uint64_t body_bytes_ = 0;  // come meanwhile
  Outcome last_ = Outcome::complete;
};

}  // namespace atlas::asgi
