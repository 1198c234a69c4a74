// A queue of bounded size. Internal, though users' headers include it.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace atlas::detail {

/// First in, first out, in memory that is allocated once.
template <class T>
class Ring {
 public:
  explicit Ring(std::size_t capacity) : slots_(std::make_unique<Slot[]>(capacity)), capacity_(capacity) {}
  ~Ring() {
    while (!empty()) static_cast<void>(pop());
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Must not be full.
  void push(T&& value) noexcept {
    const std::size_t end = first_ + size_;
    std::construct_at(&slots_[end < capacity_ ? end : end - capacity_].value, std::move(value));
    ++size_;
  }
  /// Must not be empty.
  [[nodiscard]] T pop() noexcept {
    T& oldest = slots_[first_].value;
    T value(std::move(oldest));
    std::destroy_at(&oldest);
    if (++first_ == capacity_) first_ = 0;
    --size_;
    return value;
  }

 private:
  union Slot {
    Slot() noexcept {}  // NOLINT(modernize-use-equals-default): that is deleted when T's is not trivial
    ~Slot() {}          // NOLINT(modernize-use-equals-default)
    T value;
  };

  std::unique_ptr<Slot[]> slots_;
  std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace atlas::detail
