// A growable, contiguous buffer of bytes: filled at the end, consumed at the front. It knows nothing
// of what the bytes mean, nor of who reads or writes them.
#pragma once

#include <atlas/core/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace atlas {

/// A value type, moved but never copied. It has no bound of its own: who appends, bounds.
/// Pointers and views into it are valid until the next call that is not const, except that
/// `commit` and `consume` leave them alone.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  explicit ByteBuffer(std::size_t capacity) { reallocate(capacity); }
  ByteBuffer(ByteBuffer&& other) noexcept { swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    ByteBuffer(std::move(other)).swap(*this);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() = default;

  [[nodiscard]] char* data() noexcept { return bytes_.get() + begin_; }
  [[nodiscard]] const char* data() const noexcept { return bytes_.get() + begin_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  /// Bytes of memory held, whether filled or not.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data(), size()}; }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  void append(char byte) {
    *prepare(1) = byte;
    ++end_;
  }

  /// Room for `count` more bytes behind the filled ones, uninitialised. Fill any number of them, then
  /// `commit` that number.
  [[nodiscard]] char* prepare(std::size_t count) {
    if (capacity_ - end_ < count) [[unlikely]]
      make_room(count);
    return bytes_.get() + end_;
  }

  void commit(std::size_t count) {
    ATLAS_ASSERT(count <= capacity_ - end_, "ByteBuffer: committed more than was prepared");
    end_ += count;
  }

  /// Forgets the first `count` bytes; the memory stays.
  void consume(std::size_t count) {
    ATLAS_ASSERT(count <= size(), "ByteBuffer: consumed more than it holds");
    begin_ += count;
    if (begin_ == end_) clear();
  }

  /// Forgets all but the first `count` bytes; the memory stays.
  void truncate(std::size_t count) {
    ATLAS_ASSERT(count <= size(), "ByteBuffer: truncated to more than it holds");
    end_ = begin_ + count;
  }

  /// Forgets all bytes; the memory stays.
  void clear() noexcept { begin_ = end_ = 0; }

  /// Gives memory back when more than `capacity_max` bytes of it are held; what is filled stays.
  void shrink(std::size_t capacity_max) {
    if (capacity_ > capacity_max) reallocate(std::max(capacity_max, size()));
  }

  void swap(ByteBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }
  friend void swap(ByteBuffer& left, ByteBuffer& right) noexcept { left.swap(right); }

 private:
  static constexpr std::size_t capacity_min = 64;

  // Moves the filled bytes to the front where that is cheap and enough, and doubles otherwise.
  [[gnu::noinline]] void make_room(std::size_t count) {
    const std::size_t needed = size() + count;
    if (needed <= capacity_ && size() <= begin_) {
      std::memmove(bytes_.get(), data(), size());
      end_ = size();
      begin_ = 0;
    } else {
      reallocate(std::max({needed, 2 * capacity_, capacity_min}));
    }
  }

  [[gnu::noinline]] void reallocate(std::size_t capacity) {
    std::unique_ptr<char[]> fresh;
    if (capacity > 0) fresh = std::make_unique_for_overwrite<char[]>(capacity);
    const std::size_t filled = size();
    if (filled > 0) std::memcpy(fresh.get(), data(), filled);
    bytes_ = std::move(fresh);
    begin_ = 0;
    end_ = filled;
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace atlas
