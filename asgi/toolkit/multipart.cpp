#include <atlas/asgi/toolkit/multipart.hpp>

#include <atlas/http/header.hpp>
#include <atlas/http/utf8.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::size_t boundary_bytes_max = 70;  // RFC 2046 §5.1.1
constexpr std::size_t file_name_bytes_max = 255;

[[noreturn]] void refuse(std::string_view why) {
  throw HttpError(400, fmt::format("the form is malformed: {}", why));
}

/// The value of `; name=value` or `; name="value"` in a header field's value. Within quotes, only a quote and
/// a backslash are escaped by a backslash: browsers send Windows' paths with theirs as they are.
std::optional<std::string> parameter(std::string_view field, std::string_view name) {
  for (auto semicolon = field.find(';'); semicolon != std::string_view::npos;) {
    auto rest = http::trim_ows(field.substr(semicolon + 1));
    const auto equals = rest.find_first_of("=;");
    if (equals == std::string_view::npos || rest[equals] == ';') {
      field = rest;
      semicolon = field.find(';');
      continue;
    }
    const bool found = http::iequals(http::trim_ows(rest.substr(0, equals)), name);
    rest = http::trim_ows(rest.substr(equals + 1));
    std::string value;
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
        const bool escaped =
            rest[end] == '\\' && end + 1 < rest.size() && (rest[end + 1] == '"' || rest[end + 1] == '\\');
        value += rest[escaped ? ++end : end];
      }
      if (end == rest.size()) refuse("a quote that does not end");
    } else {
      end = std::min(rest.find(';'), rest.size());
      value = http::trim_ows(rest.substr(0, end));
    }
    if (found) return value;
    field = rest;
    semicolon = field.find(';', end);
  }
  return std::nullopt;
}

bool is_boundary(std::string_view text) noexcept {
  constexpr std::string_view others = "'()+_,-./:=? ";
  const auto allowed = [&](char c) {
    return http::is_digit(c) || http::is_letter(c) || others.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= boundary_bytes_max && !text.ends_with(' ') &&
         std::ranges::all_of(text, allowed);
}

std::string boundary_of(http::HeadersView headers) {
  const auto type = headers.find("content-type").value_or("");
  if (!http::iequals(http::trim_ows(type.substr(0, type.find(';'))), "multipart/form-data"))
    throw HttpError(415, "the body is to be multipart/form-data", {{"accept", "multipart/form-data"}});
  auto boundary = parameter(type, "boundary");
  if (!boundary || !is_boundary(*boundary)) refuse("its content-type has no valid boundary");
  return *std::move(boundary);
}

std::string text_of(std::optional<std::string> text) {
  if (!http::is_utf8(*text)) refuse("a name that is not UTF-8");
  return *std::move(text);
}

void take_field(PartHead& head, bool& is_form_data, std::string_view name, std::string_view value) {
  if (http::iequals(name, "content-type")) head.content_type = value;
  if (!http::iequals(name, "content-disposition")) return;
  is_form_data = http::iequals(http::trim_ows(value.substr(0, value.find(';'))), "form-data");
  auto field = parameter(value, "name");
  if (!is_form_data || !field) refuse("a part whose content-disposition has no name");
  head.name = text_of(std::move(field));
  if (auto file = parameter(value, "filename")) head.file_name = text_of(std::move(file));
}

PartHead parse_head(std::string_view lines) {
  PartHead head;
  bool is_form_data = false;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !http::is_token(line.substr(0, colon)))
      refuse("a header field that is none");
    take_field(head, is_form_data, line.substr(0, colon), http::trim_ows(line.substr(colon + 1)));
  }
  if (!is_form_data) refuse("a part without a content-disposition");
  return head;
}

}  // namespace

std::string safe_file_name(std::string_view name) {
  const auto last = name.find_last_of("/\\");
  if (last != std::string_view::npos) name.remove_prefix(last + 1);
  std::string safe;
  for (const char c : name) {
    if (http::byte_of(c) >= 0x20 && c != 0x7f && !(safe.empty() && (c == '.' || c == ' '))) safe += c;
  }
  if (safe.size() > file_name_bytes_max) {
    auto end = file_name_bytes_max;
    while (end > 0 && (http::byte_of(safe[end]) & 0xC0) == 0x80) --end;
    safe.resize(end);
  }
  return safe.empty() ? "file" : safe;
}

MultipartReader::MultipartReader(Request& request, const MultipartLimits& limits)
    : request_(request), limits_(limits), delimiter_("\r\n--" + boundary_of(request.headers())) {}

/// False when the body has ended.
bool MultipartReader::fill() {
  const auto piece = request_.read();
  if (!piece) return false;
  drop_consumed();
  input_ += *piece;
  return true;
}

void MultipartReader::drop_consumed() {
  input_.erase(0, consumed_);
  consumed_ = 0;
}

std::optional<std::string_view> MultipartReader::read() {
  if (parts_ == 0) throw std::logic_error("MultipartReader: read was called before next");
  return read_content();
}

std::optional<std::string_view> MultipartReader::read_content() {
  while (in_part_) {
    const auto rest = std::string_view(input_).substr(consumed_);
    const auto found = rest.find(delimiter_);
    // What may be the beginning of a delimiter stays until more has come.
    const auto content =
        found != std::string_view::npos ? found : rest.size() - std::min(rest.size(), delimiter_.size() - 1);
    consumed_ += content;
    if (found != std::string_view::npos) {
      consumed_ += delimiter_.size();
      in_part_ = false;
    }
    if (content > 0) return rest.substr(0, content);
    if (in_part_ && !fill()) refuse("it ends without its last boundary");
  }
  return std::nullopt;
}

std::optional<PartHead> MultipartReader::next() {
  if (ended_) return std::nullopt;
  while (const auto passed = read_content()) {
    if (parts_ == 0) count_outside(passed->size());
  }
  if (at_end_of_delimiter()) {
    ended_ = true;
    while (const auto epilogue = request_.read()) count_outside(epilogue->size());
    return std::nullopt;
  }
  if (++parts_ > limits_.parts_max)
    throw HttpError(413, fmt::format("the form may have {} parts", limits_.parts_max));
  in_part_ = true;
  return read_head();
}

/// They mean nothing, and a client may send them without end.
void MultipartReader::count_outside(std::size_t bytes) {
  outside_ += bytes;
  if (outside_ > limits_.outside_bytes_max)
    throw HttpError(413,
                    fmt::format("the form may have {} bytes outside its parts", limits_.outside_bytes_max));
}

/// Whether the delimiter just read was the last, by what follows it.
bool MultipartReader::at_end_of_delimiter() {
  constexpr std::size_t padding_bytes_max = 256;
  while (input_.size() - consumed_ < 2 && fill()) {
  }
  if (std::string_view(input_).substr(consumed_).starts_with("--")) return true;
  const auto padding = take_until("\r\n", padding_bytes_max);
  if (padding.find_first_not_of(" \t") != std::string_view::npos) refuse("something behind a boundary");
  return false;
}

PartHead MultipartReader::read_head() {
  while (input_.size() - consumed_ < 2 && fill()) {
  }
  if (std::string_view(input_).substr(consumed_).starts_with("\r\n"))
    refuse("a part without a content-disposition");
  return parse_head(take_until("\r\n\r\n", limits_.part_header_bytes_max));
}

std::string_view MultipartReader::take_until(std::string_view mark, std::size_t bytes_max) {
  for (;;) {
    const auto rest = std::string_view(input_).substr(consumed_);
    const auto found = rest.find(mark);
    if (std::min(found, rest.size()) > bytes_max)
      throw HttpError(413, fmt::format("a part's head may have {} bytes", bytes_max));
    if (found != std::string_view::npos) {
      consumed_ += found + mark.size();
      return rest.substr(0, found);
    }
    if (!fill()) refuse("it ends within a part's head");
  }
}

}  // namespace atlas::asgi
