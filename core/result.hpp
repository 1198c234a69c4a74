// The answer of everything that can fail on its way to the outside world: a value or an error code.
// The names are those of std::expected, which neither of our compilers offers in C++20.
#pragma once

#include <atlas/core/assert.hpp>

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace atlas {

/// An error on its way into a Result: `return Unexpected(std::errc::timed_out);`
struct Unexpected {
  explicit Unexpected(std::error_code code) : error(code) {}
  explicit Unexpected(std::errc code) : error(std::make_error_code(code)) {}
  std::error_code error;
};

/// Either a T or a std::error_code that is set. `value()` throws std::system_error, so straight-line
/// code may simply use it; `operator*` asserts.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = std::error_code;

  Result(T value) : value_(std::move(value)) {}
  Result(Unexpected failure) : error_(failure.error) {}

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return throw_unless_value(), *value_; }
  const T& value() const& { return throw_unless_value(), *value_; }
  T&& value() && { return throw_unless_value(), std::move(*value_); }

  template <class U>
  [[nodiscard]] T value_or(U&& fallback) && {
    return has_value() ? std::move(*value_) : static_cast<T>(std::forward<U>(fallback));
  }

  /// The error; a default (no error) when there is a value.
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

  T& operator*() & { return assert_value(), *value_; }
  const T& operator*() const& { return assert_value(), *value_; }
  T&& operator*() && { return assert_value(), std::move(*value_); }
  T* operator->() { return assert_value(), &*value_; }
  const T* operator->() const { return assert_value(), &*value_; }

 private:
  void throw_unless_value() const {
    if (!value_) throw std::system_error(error_);
  }
  void assert_value() const { ATLAS_ASSERT(value_.has_value(), "a Result without a value was dereferenced"); }

  std::optional<T> value_;
  std::error_code error_;
};

/// Success or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = std::error_code;

  Result() = default;
  Result(Unexpected failure) : error_(failure.error) {}

  [[nodiscard]] bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) throw std::system_error(error_);
  }
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

 private:
  std::error_code error_;
};

}  // namespace atlas
