#include "simulation/response_scanner.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace atlas::testing {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view input) {
  throw std::runtime_error(fmt::format("{} in a response: '{}'", what, input.substr(0, 200)));
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) refuse("a bad number", text);
  return value;
}

/// What a head says of the body behind it.
struct Head {
  int status = 0;
  std::string token;
  std::optional<std::size_t> length;
  bool chunked = false;
  bool close = false;
};

void read_field(Head& head, std::string_view line) {
  const auto colon = line.find(": ");
  if (colon == std::string_view::npos) refuse("a field without a colon", line);
  const auto name = line.substr(0, colon);
  const auto value = line.substr(colon + 2);
  if (name == "content-length") {
    if (head.length) refuse("two lengths", line);
    head.length = number(value, 10);
  } else if (name == "transfer-encoding") {
    if (value != "chunked") refuse("an unknown coding", line);
    head.chunked = true;
  } else if (name == "connection") {
    head.close = value == "close";
  } else if (name == "x-token") {
    head.token = value;
  }
}

Head read_head(std::string_view text) {
  Head head;
  const auto first_end = text.find("\r\n");
  const auto first = text.substr(0, first_end);
  if (!first.starts_with("HTTP/1.1 ") || first.size() < 13) refuse("a bad status line", first);
  head.status = static_cast<int>(number(first.substr(9, 3), 10));
  for (auto rest = text.substr(first_end + 2); !rest.empty();) {
    const auto end = rest.find("\r\n");
    read_field(head, rest.substr(0, end));
    rest.remove_prefix(end + 2);
  }
  if (head.length && head.chunked) refuse("a length and chunks", text);
  return head;
}

void read_chunks(ScannedResponse& response, std::string_view input) {
  for (;;) {
    const auto line_end = input.find("\r\n", response.bytes);
    if (line_end == std::string_view::npos) break;
    const auto size = number(input.substr(response.bytes, line_end - response.bytes), 16);
    const auto begin = line_end + 2;
    const auto have = std::min(size, input.size() - begin);
    response.body.append(input.substr(begin, have));
    if (have < size || input.size() < begin + size + 2) break;
    if (input.substr(begin + size, 2) != "\r\n")
      refuse("no line end behind a chunk", input.substr(begin + size));
    response.bytes = begin + size + 2;
    if (size == 0) {
      response.complete = true;
      return;
    }
  }
  response.bytes = input.size();
}

}  // namespace

ScannedResponse scan_response(std::string_view input, bool to_head, bool ended) {
  ScannedResponse response{.bytes = input.size()};
  const auto head_end = input.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return response;
  const auto head = read_head(input.substr(0, head_end + 2));
  response.status = head.status;
  response.token = head.token;
  response.head_complete = true;
  response.keeps_alive = !head.close;
  response.bytes = head_end + 4;
  const auto rest = input.substr(response.bytes);
  if (to_head || head.status < 200 || head.status == 204 || head.status == 304) {
    response.complete = true;
  } else if (head.chunked) {
    read_chunks(response, input);
  } else if (head.length) {
    response.body = rest.substr(0, *head.length);
    response.complete = response.body.size() == *head.length;
    response.bytes += response.body.size();
  } else {
    response.body = rest;
    response.complete = ended;
    response.keeps_alive = false;
    response.bytes = input.size();
  }
  return response;
}

}  // namespace atlas::testing
