// Parses a field section (header lines or trailer lines) with llhttp, and refuses what llhttp lets
// through and RFC 9112 §5 forbids. It knows neither request lines nor what fields mean.
#pragma once

#include <atlas/http/header.hpp>
#include <atlas/http/limits.hpp>
#include <atlas/http/parse_error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace atlas::http {

/// Sections are fed in pieces, of any size; the pieces need not stay. When the section is complete, the
/// caller shows the whole of it in one place, and gets the fields as views of that. Neither copied nor moved.
class FieldParser {
 public:
  enum class Event : std::uint8_t { need_more, complete, error };
  struct Step {
    Event event;
    std::size_t consumed;
  };

  /// `limits` must outlive the parser.
  explicit FieldParser(const Limits& limits);
  FieldParser(const FieldParser&) = delete;
  FieldParser& operator=(const FieldParser&) = delete;
  ~FieldParser() = default;

  /// A new section begins. Keeps memory, forgets the fields.
  void start();

  /// Continues the section. `complete` comes with the empty line that ends it.
  [[nodiscard]] Step parse(std::string_view piece);

  /// After `complete`: resolves the fields as views of `section`, which holds all consumed bytes from the
  /// section's first on, and puts their names into lower case in place. False: see `error()`.
  [[nodiscard]] bool finish(std::span<char> section);

  /// After `finish()`, until `start()`.
  [[nodiscard]] HeadersView fields() const noexcept { return HeadersView(fields_); }

  [[nodiscard]] const ParseError& error() const noexcept { return error_; }

  /// Bytes of the section consumed so far.
  [[nodiscard]] std::size_t section_bytes() const noexcept { return section_bytes_; }

 private:
  friend struct LlhttpCallbacks;

  // Where a field lies, counted from the section's first byte.
  struct Extent {
    std::uint32_t name_begin;
    std::uint32_t name_end;
    std::uint32_t value_begin;  // 0 while no byte of the value was seen
    std::uint32_t value_end;
  };

  // Steps, used in the source file only. Inline, since position-independent code calls others through a
  // table.
  [[nodiscard]] inline Step feed(std::string_view piece);
  [[nodiscard]] inline bool on_name(std::size_t begin, std::size_t length);
  [[nodiscard]] inline bool on_value(std::size_t begin, std::size_t length);
  [[nodiscard]] inline std::size_t resolve(const Extent& extent, std::size_t line_begin,
                                           std::span<char> section);
  // Cold: their code stays away from that of sections which are sound.
  [[nodiscard, gnu::cold]] Step refuse_step(int status, std::string_view reason);
  [[gnu::cold]] bool refuse(int status, std::string_view reason);

  const Limits& limits_;
  std::vector<Extent> extents_;
  std::vector<Header> fields_;
  ParseError error_;
  std::size_t section_bytes_ = 0;
  const char* piece_begin_ = nullptr;
  alignas(8) std::byte llhttp_[96];  // llhttp_t, whose header only the source file includes
};

}  // namespace atlas::http
