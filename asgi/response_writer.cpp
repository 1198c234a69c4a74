#include <atlas/asgi/response_writer.hpp>

#include <atlas/asgi/cost_text.hpp>
#include <atlas/core/folder.hpp>
#include <atlas/http/response_check.hpp>
#include <atlas/http/status.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace atlas::asgi {
namespace {

// Larger pieces are written from where they lie: copying them would cost more than the extra vector.
constexpr std::size_t copied_piece_bytes_max = std::size_t{8} * 1024;

// As many bytes are copied faster than a call of the system's is made for them.
constexpr std::size_t copied_file_bytes_max = std::size_t{16} * 1024;

constexpr std::string_view pathsend = "http.response.pathsend";
constexpr std::string_view zerocopysend = "http.response.zerocopysend";

template <class T>
T known(Result<T> fact) {
  if (!fact) throw std::system_error(fact.error(), fmt::format("'{}'", zerocopysend));
  return *fact;
}

/// What part of its file the message means.
FileRange range_of(const HttpResponseZerocopysend& message) {
  if (message.file == nullptr) throw ContractError(fmt::format("'{}' has no file", zerocopysend));
  const auto status = known(message.file->try_status());
  if (status.kind != FileKind::regular) {
    throw ContractError(fmt::format("'{}' has a file that is not a regular one", zerocopysend));
  }
  const auto offset = message.offset ? *message.offset : known(message.file->position());
  const auto there = status.bytes - std::min(offset, status.bytes);
  const auto bytes = message.count.value_or(there);
  if (bytes > there) {
    throw ContractError(fmt::format("'{}' wants {} bytes of a file that has {} from byte {} on", zerocopysend,
                                    bytes, there, offset));
  }
  return {.offset = offset, .bytes = bytes};
}

[[noreturn]] void throw_header_fault(std::string_view type, const http::HeaderFault& fault,
                                     http::HeadersView fields) {
  throw ContractError(fmt::format("'{}' has a header that cannot be sent, '{}': {}", type,
                                  fields[fault.index].name, http::describe(fault.kind)));
}

}  // namespace

ResponseWriter::ResponseWriter(const ServerOptions& options, OutputBuffer& output)
    : options_(options), output_(output) {
  if (!options.server_name.empty()) server_line_ = fmt::format("server: {}\r\n", options.server_name);
}

void ResponseWriter::begin(const http::RequestHead& head, bool may_keep_alive, std::string_view date_line) {
  version_ = head.version;
  head_request_ = head.method_id == http::Method::head;
  accepts_trailers_ = head.accepts_trailers && head.version >= http::http_1_1;
  may_keep_alive_ = may_keep_alive && head.keep_alive;
  date_line_ = date_line;
  state_ = State::expecting_start;
  status_ = 0;
  framing_ = {};
  body_bytes_ = 0;
}

void ResponseWriter::send(MessageRef message) {
  if (output_.error()) throw Disconnected(output_.error());
  message.visit([this](const auto& typed) { take(typed); });
}

void ResponseWriter::take(const HttpResponseStart& message) {
  if (state_ != State::expecting_start) refuse("http.response.start");
  if (!http::is_final(message.status)) {
    throw ContractError(
        fmt::format("'http.response.start' has status {}: not one of 200 to 599", message.status));
  }
  const auto fields = message.headers.view();
  if (const auto fault = head_.hold(message.status, fields.span()))
    throw_header_fault("http.response.start", *fault, fields);
  status_ = message.status;
  trailers_announced_ = message.trailers;
  state_ = State::start_held;
}

void ResponseWriter::take(const HttpResponseBody& message) {
  const Piece piece{"http.response.body", message.body.size(), !message.more_body};
  begin_piece(piece);
  write_piece(message.body);
  end_piece(piece);
}

void ResponseWriter::begin_piece(const Piece& piece) {
  if (state_ != State::start_held && state_ != State::body) refuse(piece.type);
  const bool first = state_ == State::start_held;
  if (first) choose_framing(piece);
  count_body(piece);
  if (first) write_head();
}

void ResponseWriter::end_piece(const Piece& piece) {
  if (piece.last) finish_body();
  flush_if_full();
}

void ResponseWriter::choose_framing(const Piece& first) {
  framing_ = http::choose_framing({.version = version_,
                                   .head_request = head_request_,
                                   .keep_alive = may_keep_alive_,
                                   .status = status_,
                                   .wishes = head_.wishes(),
                                   .body_bytes = first.last ? std::optional(first.bytes) : std::nullopt,
                                   .trailers = trailers_announced_ && accepts_trailers_});
}

void ResponseWriter::write_head() {
  head_.append_to(output_.pending(), framing_, version_, server_fields());
  state_ = State::body;
}

void ResponseWriter::count_body(const Piece& piece) {
  using Body = http::ResponseFraming::Body;
  if (framing_.body == Body::none) return;
  const auto total = body_bytes_ + piece.bytes;
  const auto declared = framing_.content_length.value_or(0);
  if (framing_.body == Body::content_length && (total > declared || (piece.last && total < declared))) {
    throw ContractError(fmt::format("'{}' makes a body of {} bytes{}, but content-length said {}", piece.type,
                                    total, piece.last ? "" : " and more", declared));
  }
  body_bytes_ = total;
}

void ResponseWriter::write_piece(std::string_view piece) {
  using Body = http::ResponseFraming::Body;
  if (framing_.body == Body::none || piece.empty()) return;
  auto& pending = output_.pending();
  if (framing_.body == Body::chunked) http::append_chunk_head(pending, piece.size());
  if (piece.size() <= copied_piece_bytes_max) {
    pending.append(piece);
  } else if (auto written = output_.write_through(piece); !written) {
    throw Disconnected(written.error());
  }
  if (framing_.body == Body::chunked) pending.append(http::chunk_end);
}

// The file is looked at before anything is written: until then the response can begin anew.
void ResponseWriter::take(const HttpResponsePathsend& message) {
  if (state_ != State::start_held) refuse(pathsend);
  try {
    send_path(message);
  } catch (...) {
    if (state_ == State::start_held) state_ = State::expecting_start;
    throw;
  }
}

void ResponseWriter::send_path(const HttpResponsePathsend& message) {
  if (!message.path.starts_with('/')) {
    throw ContractError(fmt::format("'{}' has a path that is not absolute, '{}'", pathsend, message.path));
  }
  const auto found = find_file(message.path);
  if (!found) throw std::system_error(found.error(), fmt::format("'{}' of '{}'", pathsend, message.path));
  const Piece piece{pathsend, found->status.bytes, true};
  begin_piece(piece);
  send_file(found->file, {.bytes = piece.bytes});
  end_piece(piece);
}

void ResponseWriter::take(const HttpResponseZerocopysend& message) {
  if (state_ != State::start_held && state_ != State::body) refuse(zerocopysend);
  const auto range = range_of(message);
  const Piece piece{zerocopysend, range.bytes, !message.more_body};
  begin_piece(piece);
  send_file(*message.file, range);
  if (!message.offset) static_cast<void>(known(message.file->seek(range.offset + range.bytes)));
  end_piece(piece);
}

void ResponseWriter::send_file(const File& file, const FileRange& range) {
  using Body = http::ResponseFraming::Body;
  if (framing_.body == Body::none || range.bytes == 0) return;
  auto& pending = output_.pending();
  if (framing_.body == Body::chunked) http::append_chunk_head(pending, range.bytes);
  if (!copy_file(file, range)) {
    const auto sent = output_.send_file(file, range);
    if (sent.error() == std::errc::io_error) {
      throw std::system_error(sent.error(),
                              "the file could not be read, or became shorter while it was sent");
    }
    if (!sent) throw Disconnected(sent.error());
  }
  if (framing_.body == Body::chunked) pending.append(http::chunk_end);
}

// A small file that is in memory leaves together with the head.
bool ResponseWriter::copy_file(const File& file, const FileRange& range) {
  if (range.bytes > copied_file_bytes_max) return false;
  const auto bytes = static_cast<std::size_t>(range.bytes);
  const auto copied = file.try_read_some_at(range.offset, {output_.pending().prepare(bytes), bytes});
  if (!copied || *copied < bytes) return false;
  output_.pending().commit(bytes);
  return true;
}

void ResponseWriter::finish_body() {
  if (trailers_announced_) {
    state_ = State::trailers;
    trailers_.clear();
    return;
  }
  if (framing_.body == http::ResponseFraming::Body::chunked) http::append_last_chunk(output_.pending());
  state_ = State::complete;
}

void ResponseWriter::take(const HttpResponseTrailers& message) {
  if (state_ != State::trailers) refuse("http.response.trailers");
  const auto fields = message.headers.view();
  if (const auto fault = http::find_trailer_fault(fields.span())) {
    throw_header_fault("http.response.trailers", *fault, fields);
  }
  trailers_.append(message.headers);
  if (message.more_trailers) return;
  if (framing_.body == http::ResponseFraming::Body::chunked) {
    http::append_last_chunk(output_.pending(),
                            framing_.trailers ? trailers_.view().span() : std::span<const http::Header>());
  }
  state_ = State::complete;
  flush_if_full();
}

void ResponseWriter::take(const HttpResponseEarlyHint& message) {
  if (state_ > State::start_held) refuse("http.response.early_hint");
  if (version_ < http::http_1_1) return;
  std::vector<http::Header> links;
  for (const auto& link : message.links) links.push_back({"link", link});
  if (const auto fault = http::find_interim_fault(links))
    throw_header_fault("http.response.early_hint", *fault, http::HeadersView(links));
  http::append_interim(output_.pending(), 103, links);
  flush();
}

template <class Other>
void ResponseWriter::take(const Other& message) {
  throw ContractError(fmt::format("'{}' is not a message of the http scope", MessageRef(message).type()));
}

void ResponseWriter::refuse(std::string_view type) const {
  constexpr std::string_view states[] = {
      "before 'http.response.start'", "after 'http.response.start', before the first body",
      "after 'http.response.body' with more_body",
      "after the last body, where 'http.response.trailers' is due", "after the response was complete"};
  throw ContractError(fmt::format("'{}' was sent {}", type, states[static_cast<std::size_t>(state_)]));
}

void ResponseWriter::send_error(int status) {
  framing_ = {};
  body_bytes_ = http::append_error(
      output_.pending(),
      {.status = status, .text = {}, .head_request = head_request_, .keep_alive = false, .version = version_},
      server_fields());
  status_ = status;
  state_ = State::complete;
}

void ResponseWriter::send_continue() {
  if (state_ < State::body) output_.pending().append(http::continue_response);
}

void ResponseWriter::flush_if_full() {
  if (output_.pending().size() > options_.write_buffer_bytes_max) flush();
}

void ResponseWriter::flush() {
  if (auto flushed = output_.flush(); !flushed) throw Disconnected(flushed.error());
}

http::ServerFields ResponseWriter::server_fields() {
  if (meter_ != nullptr) {
    timing_line_.clear();
    if (meter_->counting()) write_server_timing(timing_line_, meter_->so_far());
  }
  return {.date_line = date_line_, .server_line = server_line_, .timing_line = timing_line_};
}

}  // namespace atlas::asgi
