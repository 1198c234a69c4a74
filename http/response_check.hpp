// What an application may not give as response headers or trailers.
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

/// The first fault of an application's response headers. Only headers without a fault may be given to the
/// functions below. Names may be in any case.
[[nodiscard]] std::optional<HeaderFault> find_header_fault(std::span<const Header> headers) noexcept;

/// The same for trailers.
[[nodiscard]] std::optional<HeaderFault> find_trailer_fault(std::span<const Header> trailers) noexcept;

}  // namespace atlas::http
