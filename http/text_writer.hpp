// Writes text into memory that is reserved for all of it at once. It knows how a field line looks, and
// nothing of what it means.
#pragma once

#include <atlas/core/byte_buffer.hpp>
#include <atlas/http/header.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace atlas::http {

/// Behind what a buffer holds. Nobody else may touch the buffer between construction and `commit`.
class TextWriter {
 public:
  /// Not more than `bytes_max` bytes will be put.
  TextWriter(ByteBuffer& out, std::size_t bytes_max)
      : out_(out), begin_(out.prepare(bytes_max)), at_(begin_) {}
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;
  ~TextWriter() = default;

  void put(std::string_view text) noexcept {
    copy(text.data(), text.size());
    at_ += text.size();
  }

  void put(const Header& field) noexcept {
    put(field.name);
    put(": ");
    put(field.value);
    put("\r\n");
  }

  void put_number(std::uint64_t number, int base = 10) noexcept {
    at_ = std::to_chars(at_, at_ + number_bytes_max, number, base).ptr;
  }

  /// The buffer holds what was put. Without this call it holds what it did before.
  void commit() { out_.commit(static_cast<std::size_t>(at_ - begin_)); }

  static constexpr std::size_t number_bytes_max = 20;

 private:
  // Names and most values are short: two moves, which may overlap, cost half of what a call of memcpy does.
  void copy(const char* text, std::size_t size) noexcept {
    if (size >= 8 && size <= 16) {
      std::memcpy(at_, text, 8);
      std::memcpy(at_ + size - 8, text + size - 8, 8);
    } else if (size > 0) {
      std::memcpy(at_, text, size);
    }
  }

  ByteBuffer& out_;
  char* begin_;
  char* at_;
};

/// How much the fields put.
[[nodiscard]] inline std::size_t line_bytes(std::span<const Header> fields) noexcept {
  constexpr std::size_t separators_bytes = 4;  // ": " and CRLF
  std::size_t bytes = 0;
  for (const Header& field : fields) bytes += field.name.size() + field.value.size() + separators_bytes;
  return bytes;
}

}  // namespace atlas::http
