// A move-only `void()` callable. Small ones (up to 48 bytes) are stored in place, so that spawning a
// fiber or posting work to a loop allocates nothing.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace atlas {

class UniqueFunction {
 public:
  UniqueFunction() noexcept = default;

  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> && std::is_invocable_v<std::decay_t<F>&>)
      UniqueFunction(F&& callable) {
    using Callable = std::decay_t<F>;
    if constexpr (fits<Callable>) {
      ::new (static_cast<void*>(storage_)) Callable(std::forward<F>(callable));
      operations_ = &in_place<Callable>;
    } else {
      ::new (static_cast<void*>(storage_))
          std::unique_ptr<Callable>(std::make_unique<Callable>(std::forward<F>(callable)));
      operations_ = &on_heap<Callable>;
    }
  }

  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  UniqueFunction(const UniqueFunction&) = delete;
  UniqueFunction& operator=(const UniqueFunction&) = delete;
  ~UniqueFunction() { reset(); }

  explicit operator bool() const noexcept { return operations_ != nullptr; }
  void operator()() { operations_->call(storage_); }

  /// Destroys the callable, and with it all that it captured.
  void reset() noexcept {
    const auto* operations = std::exchange(operations_, nullptr);
    if (operations != nullptr && operations->destroy != nullptr) operations->destroy(storage_);
  }

 private:
  static constexpr std::size_t capacity = 48;

  struct Operations {
    void (*call)(void*);
    void (*move)(void* from, void* to) noexcept;  // null: the bytes are all there is to it
    void (*destroy)(void*) noexcept;              // null: nothing to do
  };

  template <class Callable>
  static constexpr bool fits =
      sizeof(Callable) <= capacity &&
      alignof(Callable) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Callable>;

  template <class Stored>
  static void relocate(void* from, void* to) noexcept {
    auto* source = static_cast<Stored*>(from);
    ::new (to) Stored(std::move(*source));
    source->~Stored();
  }
  template <class Stored>
  static void destroy(void* stored) noexcept {
    static_cast<Stored*>(stored)->~Stored();
  }

  template <class Callable>
  static constexpr Operations in_place{[](void* stored) { (*static_cast<Callable*>(stored))(); },
                                       std::is_trivially_copyable_v<Callable> ? nullptr : relocate<Callable>,
                                       std::is_trivially_copyable_v<Callable> ? nullptr : destroy<Callable>};
  template <class Callable>
  static constexpr Operations on_heap{
      [](void* stored) { (**static_cast<std::unique_ptr<Callable>*>(stored))(); },
      relocate<std::unique_ptr<Callable>>, destroy<std::unique_ptr<Callable>>};

  void take(UniqueFunction& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ == nullptr) return;
    if (operations_->move != nullptr) return operations_->move(other.storage_, storage_);
    std::memcpy(storage_, other.storage_, capacity);
  }

  alignas(std::max_align_t) std::byte storage_[capacity];
  const Operations* operations_ = nullptr;
};

}  // namespace atlas
