// The head of a response from when the application gives it until the response is framed. How the framing is
// chosen is response_framing's business.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/request_head.hpp>
#include <atlas/http/response_check.hpp>
#include <atlas/http/response_framing.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace atlas::http {

/// What the server adds to each response, unless the application gives a field of that name itself.
struct ServerFields {
  std::string_view date_line;    // DateCache::line(); empty: no date
  std::string_view server_line;  // "server: atlas\r\n"; empty: no server field
  /// "server-timing: cpu;dur=1.250\r\n", beside the application's own; empty: none
  std::string_view timing_line = {};
};

/// Holds a status line and an application's fields as they go to the wire, so that they are looked at and
/// copied once, and what is held can still be replaced. An application's responses commonly begin alike:
/// lines that are those of the last one are compared, and stay. Memory is kept from one response to the next.
class ResponseHead {
 public:
  /// In place of what was held before. The status must be 100 to 599, names may be in any case. Answers the
  /// first fault, after which nothing is held. The fields are not referred to any longer.
  [[nodiscard]] std::optional<HeaderFault> hold(int status, std::span<const Header> fields);

  /// What the held fields ask of the framing.
  [[nodiscard]] const FramingWishes& wishes() const noexcept { return wishes_; }

  /// Appends what is held, the fields of the framing and of the server, and the empty line. The framing is
  /// that of a response to a request of `version`. Where an `upgrade` field is held, `connection` names it.
  void append_to(ByteBuffer& out, const ResponseFraming& framing, Version version,
                 const ServerFields& server_fields) const;

 private:
  using FaultKind = std::optional<HeaderFault::Kind>;

  // What a field is to the server.
  enum class Role : std::uint8_t {
    plain,
    content_length,
    connection,
    transfer_encoding,
    date,
    server,
    upgrade
  };

  // One of `text_`, which begins where the one before it ends.
  struct Line {
    std::uint32_t name_bytes;
    std::uint32_t end;
    Role role;
  };

  // Steps, used in the source file only.
  [[nodiscard]] static inline Role role_of(std::string_view name) noexcept;
  [[nodiscard]] inline std::size_t keep_same(int status, std::span<const Header> fields);
  [[nodiscard]] inline bool is_same(const Line& line, std::size_t begin, const Header& field) const noexcept;
  inline void hold_status_line(int status);
  inline void hold_field(const Header& field);
  inline void note(Role role) noexcept;
  [[nodiscard]] inline FaultKind take(const Header& field, bool may_be_kept);
  [[nodiscard]] inline FaultKind take_content_length(std::string_view value);
  inline void take_connection(std::string_view value);

  ByteBuffer text_;
  FramingWishes wishes_;
  bool date_given_ = false;
  bool server_given_ = false;
  bool upgrade_given_ = false;
  int status_ = 0;                // of the text's first line; 0: there is none
  std::size_t fields_begin_ = 0;  // behind that line
  std::size_t line_count_ = 0;
  std::array<Line, 8> lines_;  // those of the first fields
};

}  // namespace atlas::http
