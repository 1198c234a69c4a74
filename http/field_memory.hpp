// Remembers the last field section and what it said. The requests of a connection commonly differ in their
// targets only: a section that comes again, byte for byte, is compared instead of read.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/request_head.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace atlas::http {

/// What a section says depends on its bytes, on the request's version, and on whether its target names a
/// host: all of this is compared. No section is the beginning of another, since each ends with its first
/// empty line. Memory is kept, of a few KiB at most.
class FieldMemory {
 public:
  /// Before `section` is read, whose bytes that changes. From here on nothing is remembered.
  void keep(std::string_view section);
  /// After `section`, whose place is that of the one kept, has completed `head`, whose target names no host.
  void remember(const RequestHead& head, std::string_view section);

  /// Completes `head`, whose request line is read, if `bytes` begin with the remembered section: how many of
  /// them that is, or 0. The views it sets are valid until `keep`.
  [[nodiscard]] std::size_t recall(std::string_view bytes, RequestHead& head) const noexcept {
    const bool is_same = remembers_ && head.version == said_.version && head.host.empty() &&
                         bytes.starts_with(section_.view());
    if (!is_same) return 0;
    set_what_fields_say(head, said_);
    return section_.size();
  }

 private:
  static void set_what_fields_say(RequestHead& head, const RequestHead& said) noexcept {
    head.host = said.host;
    head.headers = said.headers;
    head.content_length = said.content_length;
    head.body_framing = said.body_framing;
    head.keep_alive = said.keep_alive;
    head.upgrade = said.upgrade;
    head.expect_continue = said.expect_continue;
    head.accepts_trailers = said.accepts_trailers;
  }

  static constexpr std::size_t section_bytes_max = 1024;

  bool remembers_ = false;
  ByteBuffer section_;          // as it came
  ByteBuffer read_;             // as it was read: with names in lower case
  std::vector<Header> fields_;  // views of `read_`
  RequestHead said_;
};

}  // namespace atlas::http
