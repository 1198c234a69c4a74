// JSON written piece by piece into one text, without a value in between: what Json and described structs are
// written by. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atlas::asgi {

/// The caller opens and closes what it should.
class JsonWriter {
 public:
  enum class Layout : std::uint8_t {
    compact,
    pretty,  ///< A line for each value, indented by two spaces.
  };
  explicit JsonWriter(std::string& out, Layout layout = Layout::compact) noexcept
      : out_(out), pretty_(layout == Layout::pretty) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  /// The name of the member whose value is written next.
  void name(std::string_view text) {
    separate();
    append_text(text);
    out_ += ':';
    if (pretty_) out_ += ' ';
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
    ++depth_;
  }
  void end(char bracket) {
    --depth_;
    if (pretty_ && !first_) begin_line();
    out_ += bracket;
    first_ = false;
  }
  void literal(std::string_view value) {
    separate();
    out_ += value;
  }
  void separate() {
    if (after_name_) {
      after_name_ = false;
      return;
    }
    if (!first_) out_ += ',';
    if (pretty_ && depth_ > 0) begin_line();
    first_ = false;
  }
  void begin_line() { out_.append("\n").append(2 * depth_, ' '); }
  void append_text(std::string_view text);

  std::string& out_;
  const bool pretty_;
  std::size_t depth_ = 0;
  bool first_ = true;
  bool after_name_ = false;
};

}  // namespace atlas::asgi
