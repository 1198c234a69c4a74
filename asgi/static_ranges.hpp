// Ranges of bytes (RFC 9110 §14): which parts of a representation a Range field asks for. Knows nothing of
// files, nor of how parts are sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace atlas::asgi {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;  ///< Never 0.

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct RangeChoice {
  enum class Kind : std::uint8_t {
    all,            ///< The field does not count: 200.
    parts,          ///< `ranges`, in the order asked for: 206.
    unsatisfiable,  ///< 416
  };

  Kind kind = Kind::all;
  std::vector<ByteRange> ranges = {};

  friend bool operator==(const RangeChoice&, const RangeChoice&) = default;
};

/// `field` is Range's value, `bytes` the representation's length. Units other than bytes and what is
/// malformed do not count, nor (RFC 9110 §14.2) do more than `ranges_max` ranges, or ranges that overlap:
/// they would make the server send more than there is. Nor does any of an empty representation: some clients
/// ask for ranges of everything, and there is no Content-Range for what a suffix range gets of it.
[[nodiscard]] RangeChoice choose_ranges(std::string_view field, std::uint64_t bytes, std::size_t ranges_max);

}  // namespace atlas::asgi
