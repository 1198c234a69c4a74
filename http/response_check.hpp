// What an application may not give as response headers or trailers. That of the final head's framing fields
// is response_head's to say.
#pragma once

#include <atlas/http/header.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace atlas::http {

struct HeaderFault {
  enum class Kind : std::uint8_t {
    bad_name,            // not a token
    bad_value,           // has CR, LF, NUL or another control character
    bad_content_length,  // not a plain decimal number
    repeated_content_length,
    forbidden_trailer,  // frames, routes or authenticates: may not stand in a trailer section
  };

  Kind kind;
  std::size_t index;  // of the faulty field

  friend bool operator==(const HeaderFault&, const HeaderFault&) = default;
};

/// A sentence about the kind of fault, for the message of the application's error.
[[nodiscard]] std::string_view describe(HeaderFault::Kind kind) noexcept;

/// What no field may have, whatever it is called: a bad name or a bad value.
[[nodiscard]] inline std::optional<HeaderFault::Kind> find_fault(const Header& field) noexcept {
  if (!is_token(field.name)) return HeaderFault::Kind::bad_name;
  if (!is_field_value(field.value)) return HeaderFault::Kind::bad_value;
  return std::nullopt;
}

/// The first fault of an interim response's fields.
[[nodiscard]] std::optional<HeaderFault> find_interim_fault(std::span<const Header> fields) noexcept;

/// The first fault of an application's trailers. Names may be in any case.
[[nodiscard]] std::optional<HeaderFault> find_trailer_fault(std::span<const Header> trailers) noexcept;

}  // namespace atlas::http
