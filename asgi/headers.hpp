// The headers of a message that an application sends: ordered, duplicates kept. Literals are referred
// to, everything else is copied, so that a usual response allocates nothing.
#pragma once

#include <atlas/http/header.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// Text given for a header's name or value. A constant character array is taken for a literal, which
/// lives for ever; everything else is copied when it joins Headers.
struct HeaderText {
  template <std::size_t n>
  HeaderText(const char (&literal)[n]) : view(literal), lives_for_ever(true) {}
  template <std::size_t n>
  HeaderText(char (&buffer)[n]) : view(buffer) {}
  HeaderText(std::string_view text) : view(text) {}
  HeaderText(const std::string& text) : view(text) {}

  std::string_view view;
  bool lives_for_ever = false;
};

class Headers {
 public:
  struct Field {
    HeaderText name;
    HeaderText value;
  };

  Headers() noexcept {}  // NOLINT(modernize-use-equals-default): deleted, because of the union
  Headers(std::initializer_list<Field> fields) {
    for (const Field& field : fields) add(field.name, field.value);
  }
  /// Copies names and values.
  explicit Headers(http::HeadersView fields);
  Headers(const Headers& other) { append(other); }
  Headers(Headers&& other) noexcept;
  Headers& operator=(Headers other) noexcept;
  ~Headers() = default;

  /// Appends a field, whether or not there is one of that name.
  void add(const HeaderText& name, const HeaderText& value) { push({kept(name), kept(value)}); }
  void append(const Headers& other);
  void clear() noexcept;

  [[nodiscard]] http::HeadersView view() const noexcept { return std::span(data(), size_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t inline_fields = 8;

  [[nodiscard]] const http::Header* data() const noexcept {
    return overflow_.empty() ? inline_.data() : overflow_.data();
  }
  [[nodiscard]] std::string_view kept(const HeaderText& text) {
    return text.lives_for_ever ? text.view : copied(text.view);
  }
  std::string_view copied(std::string_view text);
  [[nodiscard]] bool owns(std::string_view text) const noexcept;

  void push(const http::Header& field) {
    if (size_ < inline_fields) {
      std::construct_at(&inline_[size_++], field);
    } else {
      push_to_overflow(field);
    }
  }
  void push_to_overflow(const http::Header& field);
  void take(Headers& other) noexcept;

  struct Text {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };

  std::size_t size_ = 0;
  // Not initialised beyond `size_`: most messages have few fields, and each is made anew.
  union {
    std::array<http::Header, inline_fields> inline_;  // NOLINT(readability-identifier-naming)
  };
  std::vector<http::Header> overflow_;  // all fields, once there are more than fit inline
  std::vector<Text> texts_;
};

}  // namespace atlas::asgi
