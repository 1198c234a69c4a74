// Read buffers: a stream reads into a chunk and hands it to its reader whole, so that bytes are not
// copied and a connection without unread input holds no buffer.
#pragma once

#include <atlas/core/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace atlas {

class ChunkPool;

/// Bytes that have arrived, in a buffer borrowed from a pool; gives it back when destroyed. Stays on
/// its thread.
class Chunk {
 public:
  Chunk() noexcept = default;
  Chunk(Chunk&& other) noexcept { swap(other); }
  Chunk& operator=(Chunk&& other) noexcept {
    Chunk taken(std::move(other));
    swap(taken);
    return *this;
  }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  inline ~Chunk();

  /// The bytes not yet consumed. They may be written to: whoever holds the chunk owns them.
  [[nodiscard]] std::span<char> bytes() noexcept { return {memory_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  /// Whether there is a buffer at all.
  explicit operator bool() const noexcept { return memory_ != nullptr; }
  /// Whether its pool has lent more than it should.
  [[nodiscard]] inline bool is_scarce() const noexcept;
  void consume(std::size_t count) noexcept { begin_ += static_cast<std::uint32_t>(count); }

  /// Moves few bytes into memory of just their size when the pool has lent much: many who wait with a small
  /// request each hold little.
  inline void fit();

  /// Free space behind the bytes; none without a buffer, or in a fitted one.
  [[nodiscard]] std::span<char> room() noexcept { return {memory_.get() + end_, size_ - end_}; }
  /// Makes the first `count` bytes of `room()` part of `bytes()`.
  void filled(std::size_t count) noexcept { end_ += static_cast<std::uint32_t>(count); }

 private:
  friend class ChunkPool;
  Chunk(std::unique_ptr<char[]> memory, std::size_t size, ChunkPool& pool) noexcept
      : memory_(std::move(memory)), pool_(&pool), size_(static_cast<std::uint32_t>(size)) {}

  void swap(Chunk& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(pool_, other.pool_);
    std::swap(size_, other.size_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }

  std::unique_ptr<char[]> memory_;
  ChunkPool* pool_ = nullptr;
  std::uint32_t size_ = 0;  // of the memory
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
};

/// Buffers of one size, the most recently used first, and chunks that were fitted. Outlives its chunks, which
/// is asserted. One per thread.
class ChunkPool {
 public:
  explicit ChunkPool(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) { free_.reserve(busy_free_max); }
  ~ChunkPool() { ATLAS_ASSERT(lent_bytes_ == 0, "a chunk outlived its pool"); }
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  [[nodiscard]] Chunk take() {
    lent_bytes_ += chunk_bytes_;
    if (free_.empty()) return {std::make_unique_for_overwrite<char[]>(chunk_bytes_), chunk_bytes_, *this};
    Chunk chunk(std::move(free_.back()), chunk_bytes_, *this);
    free_.pop_back();
    return chunk;
  }
  [[nodiscard]] std::size_t chunk_bytes() const noexcept { return chunk_bytes_; }
  /// Gives back what was kept for a burst.
  void trim() noexcept {
    if (free_.size() > free_max) free_.resize(free_max);
  }
  [[nodiscard]] std::size_t lent_bytes() const noexcept { return lent_bytes_; }
  /// Streams do not read ahead while more than `bytes` are lent. Without a call: any number.
  void set_scarce_above(std::size_t bytes) noexcept { scarce_above_bytes_ = bytes; }

  /// Chunks are fitted while more is lent than so many buffers hold,
  static constexpr std::size_t unfitted_max = 64;
  /// and only those with no more bytes than this.
  [[nodiscard]] std::size_t fitted_bytes_max() const noexcept { return chunk_bytes_ / 8; }

 private:
  friend class Chunk;
  static constexpr std::size_t free_max = 64;
  static constexpr std::size_t busy_free_max = 1024;  // until the next trim

  [[nodiscard]] bool crowded() const noexcept { return lent_bytes_ > unfitted_max * chunk_bytes_; }

  [[nodiscard]] Chunk fitted_copy(std::span<const char> bytes) {
    lent_bytes_ += bytes.size();
    Chunk copy(std::make_unique_for_overwrite<char[]>(bytes.size()), bytes.size(), *this);
    std::copy(bytes.begin(), bytes.end(), copy.memory_.get());
    copy.filled(bytes.size());
    return copy;
  }

  void give_back(std::unique_ptr<char[]> memory, std::size_t size) noexcept {
    lent_bytes_ -= size;
    if (size == chunk_bytes_ && free_.size() < busy_free_max) free_.push_back(std::move(memory));
  }

  std::size_t chunk_bytes_;
  std::size_t lent_bytes_ = 0;
  std::size_t scarce_above_bytes_ = SIZE_MAX;
  std::vector<std::unique_ptr<char[]>> free_;
};

inline Chunk::~Chunk() {
  if (memory_) pool_->give_back(std::move(memory_), size_);
}

inline bool Chunk::is_scarce() const noexcept {
  return memory_ != nullptr && pool_->lent_bytes() > pool_->scarce_above_bytes_;
}

inline void Chunk::fit() {
  if (memory_ != nullptr && pool_->crowded() && bytes().size() <= pool_->fitted_bytes_max()) {
    *this = pool_->fitted_copy(bytes());
  }
}

}  // namespace atlas
