// llhttp as leniently as it can be had: what a careless server would make of the same bytes. Reads inputs
// from stdin, each behind its length as four bytes (big-endian), and answers each with a line:
//
//   /front 5,/marker 0 ok       the requests in order, with the bytes of their bodies; then ok, open (bytes
//   are
//                               missing) or error
#include <fmt/format.h>

#include <llhttp.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace {

struct Requests {
  std::string path;
  std::size_t body_bytes = 0;
  bool in_request = false;
  std::string line;
};

Requests& requests_of(llhttp_t* parser) { return *static_cast<Requests*>(parser->data); }

int on_begin(llhttp_t* parser) {
  auto& requests = requests_of(parser);
  requests.path.clear();
  requests.body_bytes = 0;
  return HPE_OK;
}

int on_url(llhttp_t* parser, const char* at, std::size_t length) {
  requests_of(parser).path.append(at, length);
  return HPE_OK;
}

int on_head(llhttp_t* parser) {
  requests_of(parser).in_request = true;
  return HPE_OK;
}

int on_body(llhttp_t* parser, const char*, std::size_t length) {
  requests_of(parser).body_bytes += length;
  return HPE_OK;
}

// Paths are shown without what would be a separator.
int on_complete(llhttp_t* parser) {
  auto& requests = requests_of(parser);
  requests.in_request = false;
  for (char& c : requests.path) {
    if (c <= ' ' || c == ',' || c == '\x7F') c = '_';
  }
  if (!requests.line.empty()) requests.line += ',';
  requests.line += fmt::format("{} {}", requests.path, requests.body_bytes);
  return HPE_OK;
}

llhttp_settings_t make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_message_begin = on_begin;
  settings.on_url = on_url;
  settings.on_headers_complete = on_head;
  settings.on_body = on_body;
  settings.on_message_complete = on_complete;
  return settings;
}

const char* end_of(llhttp_errno_t code, bool in_request) {
  if (code == HPE_PAUSED_UPGRADE) return "upgrade";
  if (code != HPE_OK) return "error";
  return in_request ? "open" : "ok";
}

std::string read(const std::string& input) {
  static const llhttp_settings_t settings = make_settings();
  Requests requests;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  llhttp_set_lenient_headers(&parser, 1);
  llhttp_set_lenient_chunked_length(&parser, 1);
  llhttp_set_lenient_keep_alive(&parser, 1);
  parser.data = &requests;
  const auto code = llhttp_execute(&parser, input.data(), input.size());
  return fmt::format("{} {}", requests.line, end_of(code, requests.in_request));
}

}  // namespace

int main() {
  for (std::array<unsigned char, 4> size{}; std::fread(size.data(), 1, size.size(), stdin) == size.size();) {
    const std::size_t bytes =
        std::size_t{size[0]} << 24 | std::size_t{size[1]} << 16 | std::size_t{size[2]} << 8 | size[3];
    std::string input(bytes, '\0');
    if (std::fread(input.data(), 1, bytes, stdin) != bytes) return 1;
    fmt::print("{}\n", read(input));
    std::fflush(stdout);
  }
  return 0;
}
