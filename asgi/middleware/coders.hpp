// Content codings (RFC 9110 §8.4.1) as streams: gzip, br, zstd, and deflate to be read. Internal.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atlas::asgi {

enum class Flush : std::uint8_t {
  piece,  ///< All that was written so far can be read by the other side.
  end,    ///< It is complete; the coder can begin anew.
};

/// Compresses one text after the other. Throws std::runtime_error when the library fails, for want of memory.
class Compressor {
 public:
  virtual ~Compressor() = default;
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// Appends to `out`.
  virtual void write(std::string_view bytes, Flush flush, std::string& out) = 0;
};

/// `coding`: "gzip", "br" or "zstd".
[[nodiscard]] std::unique_ptr<Compressor> make_compressor(std::string_view coding, int level);

/// What was read is not what the coding allows, or ends too early.
class BadCoding : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads one text.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// Takes from the front of `bytes`, and appends up to about `bytes_max` to `out`. Nothing is taken and
  /// appended when more must come first. Throws BadCoding.
  virtual void read(std::string_view& bytes, std::size_t bytes_max, std::string& out) = 0;
  /// Whether the text is complete: it may end here.
  [[nodiscard]] virtual bool complete() const noexcept = 0;
};

/// Null for a coding that is not known: "gzip", "x-gzip", "deflate", "br" and "zstd" are.
[[nodiscard]] std::unique_ptr<Decompressor> make_decompressor(std::string_view coding);

}  // namespace atlas::asgi
