// The sending half of an http scope: checks the application's messages against the contract and writes
// the response. Knows nothing of requests beyond what frames a response.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/options.hpp>
#include <atlas/core/cost.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/output_buffer.hpp>
#include <atlas/http/request_head.hpp>
#include <atlas/http/response_framing.hpp>
#include <atlas/http/response_head.hpp>
#include <atlas/http/response_serializer.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

class ResponseWriter {
 public:
  /// Both must outlive the writer.
  ResponseWriter(const ServerOptions& options, OutputBuffer& output);
  /// From now on responses have a server-timing field, with what `meter` says when their head is written, if
  /// it counts then. `meter` must outlive the writer.
  void show_cost(const CostMeter& meter) noexcept { meter_ = &meter; }

  /// Prepares for the response to `head`. `may_keep_alive`: the server is willing to go on after it.
  /// `date_line` must be valid until the head is written.
  void begin(const http::RequestHead& head, bool may_keep_alive, std::string_view date_line);

  /// Takes one message of the application. Suspends when more is buffered than allowed. Throws ContractError
  /// and Disconnected.
  void send(MessageRef message);
  /// The server's own answer, in place of the application's. Nothing may have been written. Does not suspend.
  void send_error(int status);
  /// "100 Continue", unless the response has begun.
  void send_continue();
  /// Whether the head is on its way: no other answer can take its place.
  [[nodiscard]] bool written() const noexcept { return state_ >= State::body; }
  [[nodiscard]] bool complete() const noexcept { return state_ == State::complete; }
  /// Whether it is under way, and nothing but the connection's end could say that it is complete.
  [[nodiscard]] bool ends_with_connection() const noexcept {
    return state_ == State::body && framing_.body == http::ResponseFraming::Body::until_close;
  }
  /// Whether `http.response.start` was taken.
  [[nodiscard]] bool started() const noexcept { return state_ > State::expecting_start; }
  /// After completion: whether the connection goes on.
  [[nodiscard]] bool keep_alive() const noexcept { return framing_.keep_alive; }
  /// The server has decided to close after this response.
  void forbid_keep_alive() noexcept { may_keep_alive_ = false; }
  /// The status sent, 0 before.
  [[nodiscard]] int status() const noexcept { return written() ? status_ : 0; }
  /// Body bytes sent, without framing.
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }

 private:
  enum class State : std::uint8_t { expecting_start, start_held, body, trailers, complete };

  void take(const HttpResponseStart& message);
  void take(const HttpResponseBody& message);
  void take(const HttpResponseTrailers& message);
  void take(const HttpResponseEarlyHint& message);
  void take(const HttpResponsePathsend& message);
  void take(const HttpResponseZerocopysend& message);
  void take(const HttpResponsePush&) {}
  template <class Other>
  void take(const Other& message);

  [[noreturn]] void refuse(std::string_view type) const;
  void send_path(const HttpResponsePathsend& message);
  void send_file(const File& file, const FileRange& range);
  void flush();

  // Steps, used in the source file only. Inline, since position-independent code calls others through a
  // table.
  struct Piece {
    std::string_view type;  // of the message
    std::uint64_t bytes;
    bool last;
  };
  inline void begin_piece(const Piece& piece);
  inline void end_piece(const Piece& piece);
  inline void choose_framing(const Piece& first);
  inline void write_head();
  inline void write_piece(std::string_view piece);
  [[nodiscard]] inline bool copy_file(const File& file, const FileRange& range);
  inline void count_body(const Piece& piece);
  inline void finish_body();
  inline void flush_if_full();
  [[nodiscard]] inline http::ServerFields server_fields();

  const ServerOptions& options_;
  OutputBuffer& output_;
  std::string server_line_;
  const CostMeter* meter_ = nullptr;
  std::string timing_line_;

  // Of the request.
  http::Version version_;
  bool head_request_ = false;
  bool accepts_trailers_ = false;
  bool may_keep_alive_ = false;
  std::string_view date_line_;

  // Of the response.
  State state_ = State::expecting_start;
  int status_ = 0;
  bool trailers_announced_ = false;
  http::ResponseHead head_;
  Headers trailers_;
  http::ResponseFraming framing_;
  std::uint64_t body_bytes_ = 0;
};

}  // namespace atlas::asgi
