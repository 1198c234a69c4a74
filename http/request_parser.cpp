#include <atlas/http/request_parser.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/http/characters.hpp>

#include <algorithm>

namespace atlas::http {
namespace {

// What a parser keeps of its memory for pieces across requests.
constexpr std::size_t kept_bytes_max = 4096;

std::string_view as_view(std::span<const char> bytes) noexcept { return {bytes.data(), bytes.size()}; }

std::span<char> as_span(ByteBuffer& buffer) noexcept { return {buffer.data(), buffer.size()}; }

bool is_forbidden_trailer(const Header& field) noexcept {
  return field.name == "content-length" || field.name == "transfer-encoding" || field.name == "host";
}

// A tab is white space as good as any (RFC 9110 §5.6.3), but some servers take "chunked<TAB>" for another
// coding. The field is where it came, in a line that ends in CRLF.
bool is_coding_with_tab(const Header& field) noexcept {
  if (field.name != "transfer-encoding") return false;
  const char* at = field.name.data() + field.name.size();
  while (*at != '\t' && *at != '\r') ++at;
  return *at == '\t';
}

// `line` ends in CRLF.
ParseError read_first_line(RequestHead& head, std::string_view line) {
  head = {.request_line = line.substr(0, line.size() - 2)};
  return read_request_line(head);
}

}  // namespace

RequestParser::RequestParser(const Limits& limits)
    : limits_(limits), field_parser_(limits), trailer_parser_(limits), chunk_decoder_(limits) {
  ATLAS_ASSERT(limits.request_line_bytes_max <= std::size_t{1} << 30,
               "Limits::request_line_bytes_max is above 1 GiB");
}

void RequestParser::reset() {
  state_ = State::idle;
  error_ = {};
  body_ = {};
  refused_ = {};
  empty_line_bytes_ = line_bytes_ = 0;
  head_pieces_.clear();
  head_pieces_.shrink(kept_bytes_max);
  if (head_.body_framing != BodyFraming::chunked) return;  // of the request that ends here
  trailer_parser_.start();
  trailer_pieces_.clear();
  trailer_pieces_.shrink(kept_bytes_max);
}

ParseStep RequestParser::parse(std::span<char> bytes) {
  if (state_ == State::head_done) begin_body();
  switch (state_) {
    case State::length_body: return parse_length_body(bytes);
    case State::chunked_body: return parse_chunked_body(bytes);
    case State::trailer_fields: return parse_trailers(bytes, 0);
    case State::complete: return {ParseEvent::complete, 0};
    case State::failed: return {ParseEvent::error, 0};
    default: return bytes.empty() ? ParseStep{ParseEvent::need_more, 0} : parse_head(bytes);
  }
}

// The head is read from the caller's bytes. Only when it ends in a later call than it began, its pieces are
// joined in `head_pieces_`, and it is read from there.
ParseStep RequestParser::parse_head(std::span<char> bytes) {
  const std::string_view text = as_view(bytes);
  std::size_t used = state_ == State::idle ? skip_empty_lines(text) : 0;
  const std::size_t head_begin = used;
  if (state_ == State::request_line) used += take_request_line(text.substr(used));
  if (state_ == State::header_begin) used += begin_header_fields(text.substr(used));
  if (state_ == State::header_fields) used += take_header_fields(text.substr(used));
  const std::span<char> taken = bytes.subspan(head_begin, used - head_begin);

  if (state_ == State::head_done) return finish_head(taken, used);
  if (state_ == State::failed) return refuse_head(text.substr(head_begin), used);
  if (head_pieces_.empty()) static_cast<void>(join_to_pieces(as_view(taken)));
  return {ParseEvent::need_more, used};
}

std::string_view RequestParser::begun_line() const noexcept {
  const std::string_view begun = head_pieces_.empty() ? refused_ : head_pieces_.view();
  return begun.substr(0, begun.find_first_of("\r\n"));
}

// RFC 9112 §2.2: a server skips empty lines before a request line. Answers how many bytes were skipped.
std::size_t RequestParser::skip_empty_lines(std::string_view bytes) {
  std::size_t used = 0;
  for (; used < bytes.size(); ++used, ++empty_line_bytes_) {
    const bool line_feed_due = empty_line_bytes_ % 2 == 1;
    const char byte = bytes[used];
    if (line_feed_due && byte != '\n') return fail({400, "bare CR before the request line"}), used;
    if (!line_feed_due && byte != '\r') return begin_request_line(byte), used;
    if (empty_line_bytes_ == limits_.leading_crlf_bytes_max) {
      return fail({400, "too many empty lines before the request line"}), used;
    }
  }
  return used;
}

// The first byte is looked at as soon as it is there: whoever speaks TLS to a plain port sends no line to
// wait for.
void RequestParser::begin_request_line(char first) {
  if (!is_in(CharacterClass::token, first)) return fail({400, "request does not begin with a method"});
  state_ = State::request_line;
}

std::size_t RequestParser::take_request_line(std::string_view bytes) {
  const std::size_t allowed = limits_.request_line_bytes_max + 2 - line_bytes_;
  const std::size_t line_feed = bytes.substr(0, allowed).find('\n');
  const bool ends = line_feed != std::string_view::npos;
  if (!ends && bytes.size() >= allowed) return fail({414, "request line is too long"}), allowed;
  const std::size_t used = ends ? line_feed + 1 : bytes.size();
  line_bytes_ += used;
  const std::string_view line = join(bytes.substr(0, used));
  if (ends) read_line(line);
  return used;
}

void RequestParser::read_line(std::string_view line) {
  if (!line.ends_with("\r\n")) return fail({400, "request line does not end in CRLF"});
  if (const ParseError error = read_first_line(head_, line)) return fail(error);
  state_ = State::header_begin;
}

std::size_t RequestParser::begin_header_fields(std::string_view bytes) {
  const std::size_t used = head_pieces_.empty() ? field_memory_.recall(bytes, head_) : 0;
  recalled_ = used > 0;
  if (recalled_) return state_ = State::head_done, used;
  field_parser_.start();
  state_ = State::header_fields;
  return 0;
}

std::size_t RequestParser::take_header_fields(std::string_view bytes) {
  const FieldParser::Step step = field_parser_.parse(bytes);
  if (step.event == FieldParser::Event::error) fail(field_parser_.error());
  if (step.event == FieldParser::Event::complete) state_ = State::head_done;
  static_cast<void>(join(bytes.substr(0, step.consumed)));
  return step.consumed;
}

// The head so far, whose last piece is given, in one place.
std::string_view RequestParser::join(std::string_view piece) {
  return head_pieces_.empty() ? piece : join_to_pieces(piece);
}

std::string_view RequestParser::join_to_pieces(std::string_view piece) {
  head_pieces_.append(piece);
  return head_pieces_.view();
}

ParseStep RequestParser::finish_head(std::span<char> last_piece, std::size_t used) {
  const bool in_pieces = !head_pieces_.empty();
  const std::span<char> text = in_pieces ? as_span(head_pieces_) : last_piece;
  if (in_pieces) {
    const ParseError error = read_first_line(head_, as_view(text.first(line_bytes_)));  // it has moved
    ATLAS_ASSERT(!error, "a request line changed its meaning");
  }

  refused_ = as_view(last_piece);  // unless it turns out to be good
  if (!recalled_) {
    if (const ParseError error = finish_header_fields(text.subspan(line_bytes_)))
      return fail_step(error, used);
  }
  const bool too_large = limits_.body_bytes_max != 0 && head_.content_length > limits_.body_bytes_max;
  if (too_large) return fail_step({413, "declared body is too large"}, used);
  return {ParseEvent::head, used};
}

ParseError RequestParser::finish_header_fields(std::span<char> section) {
  const bool may_come_again = head_pieces_.empty() && head_.host.empty();
  if (may_come_again) field_memory_.keep(as_view(section));
  if (!field_parser_.finish(section)) return field_parser_.error();
  head_.headers = field_parser_.fields();
  if (const ParseError error = read_header_fields(head_)) return error;
  if (head_.body_framing == BodyFraming::chunked && std::ranges::any_of(head_.headers, is_coding_with_tab)) {
    return {400, "Transfer-Encoding has a tab"};
  }
  if (may_come_again) field_memory_.remember(head_, as_view(section));
  return {};
}

void RequestParser::begin_body() {
  body_left_ = head_.content_length;
  state_ = body_left_ > 0 ? State::length_body : State::complete;
  if (head_.body_framing != BodyFraming::chunked) return;
  chunk_decoder_.start();
  state_ = State::chunked_body;
}

ParseStep RequestParser::parse_length_body(std::span<char> bytes) {
  if (bytes.empty()) return {ParseEvent::need_more, 0};
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left_));
  body_left_ -= taken;
  if (body_left_ == 0) state_ = State::complete;
  body_ = as_view(bytes.first(taken));
  return {ParseEvent::body, taken};
}

ParseStep RequestParser::parse_chunked_body(std::span<char> bytes) {
  const ChunkDecoder::Step step = chunk_decoder_.decode(as_view(bytes));
  switch (step.event) {
    case ChunkDecoder::Event::need_more: return {ParseEvent::need_more, step.consumed};
    case ChunkDecoder::Event::data: body_ = step.data; return {ParseEvent::body, step.consumed};
    case ChunkDecoder::Event::end:
      state_ = State::trailer_fields;
      return parse_trailers(bytes, step.consumed);
    default: return fail_step(chunk_decoder_.error(), step.consumed);
  }
}

// `used` bytes were taken already, by the last chunk.
ParseStep RequestParser::parse_trailers(std::span<char> bytes, std::size_t used) {
  const std::string_view text = as_view(bytes.subspan(used));
  const FieldParser::Step step = trailer_parser_.parse(text);
  used += step.consumed;
  if (step.event == FieldParser::Event::error) return fail_step(trailer_parser_.error(), used);
  trailer_pieces_.append(text.substr(0, step.consumed));
  if (step.event == FieldParser::Event::need_more) return {ParseEvent::need_more, used};
  if (!trailer_parser_.finish(as_span(trailer_pieces_))) return fail_step(trailer_parser_.error(), used);
  if (std::ranges::any_of(trailers(), is_forbidden_trailer))
    return fail_step({400, "forbidden trailer field"}, used);
  state_ = State::complete;
  return {ParseEvent::complete, used};
}

ParseStep RequestParser::refuse_head(std::string_view head, std::size_t used) {
  refused_ = head.substr(0, limits_.request_line_bytes_max);
  return {ParseEvent::error, used};
}

ParseStep RequestParser::fail_step(ParseError error, std::size_t used) {
  fail(error);
  return {ParseEvent::error, used};
}

void RequestParser::fail(ParseError error) {
  state_ = State::failed;
  error_ = error;
}

}  // namespace atlas::http
