// Conditional requests (RFC 9110 §13): what a request's preconditions say of a representation. Knows nothing
// of files.
#pragma once

#include <atlas/http/header.hpp>

#include <cstdint>
#include <string_view>

namespace atlas::asgi {

/// What a representation is recognised by.
struct Validators {
  std::string_view etag;      ///< As sent: "\"abc\"", or "W/\"abc\"" when it is weak.
  std::int64_t modified = 0;  ///< Seconds since 1970.
  /// Whether it cannot have changed twice in the second `modified`, so that the date alone tells (RFC 9110
  /// §8.8.2.2).
  bool date_is_strong = true;
};

enum class Precondition : std::uint8_t {
  met,
  not_modified,  ///< 304
  failed,        ///< 412
};

/// Of a GET or HEAD for a representation that exists, in the order of RFC 9110 §13.2.2. A date that is none
/// is ignored. `now`: seconds since 1970.
[[nodiscard]] Precondition evaluate_preconditions(http::HeadersView headers, const Validators& validators,
                                                  std::int64_t now);

/// Whether Range counts: there is no If-Range, or it names the representation (RFC 9110 §13.1.5).
[[nodiscard]] bool range_counts(http::HeadersView headers, const Validators& validators, std::int64_t now);

}  // namespace atlas::asgi
