// JSON written piece by piece into one text, without a value in between: what Json and described structs are
// written by. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atlas::asgi {

/// The caller opens and closes what it should.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  /// The name of the member whose value is written next.
  void name(std::string_view text) {
    separate();
    append_text(text);
    out_ += ':';
    after_name_ = true;
  }
  void null() { literal("null"); }
  void boolean(bool value) { literal(value ? "true" : "false"); }
  void number(std::int64_t value);
  void number(std::uint64_t value);
  /// The shortest text that is read back as the same. Throws std::invalid_argument when it is not finite.
  void number(double value);
  /// Throws std::invalid_argument when it is not UTF-8.
  void text(std::string_view value) {
    separate();
    append_text(value);
  }
  /// A value that is JSON already.
  void raw(std::string_view json) { literal(json); }

 private:
  void begin(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
  }
  void end(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void literal(std::string_view value) {
    separate();
    out_ += value;
  }
  void separate() {
    if (!first_ && !after_name_) out_ += ',';
    first_ = after_name_ = false;
  }
  void append_text(std::string_view text);

  std::string& out_;
  bool first_ = true;
  bool after_name_ = false;
};

}  // namespace atlas::asgi
