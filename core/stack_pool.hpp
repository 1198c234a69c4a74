// Memory for fiber stacks, in slabs: reserved, committed only as it is touched, each stack with a
// guard below it. One pool per worker; not thread-safe. Internal.
#pragma once

#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/stack_memory.hpp>

#include <cstddef>
#include <map>
#include <vector>

namespace atlas::detail {

class StackPool {
 public:
  /// `stack_bytes` is rounded up to pages, 16 KiB at least; stacks are up to a page larger, and a guard
  /// of 64 KiB comes on top of it.
  explicit StackPool(std::size_t stack_bytes);
  /// Every stack must have been given back.
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  /// A stack, most recently used first. Throws std::bad_alloc when the address space is exhausted.
  [[nodiscard]] StackMemory take();
  void give_back(StackMemory stack) noexcept;

  /// Unmaps slabs of which no stack is in use.
  void release_empty_slabs() noexcept;

  /// Gives the pages of `stack` back to the system, but for the topmost `keep_bytes`.
  static void discard_deep_pages(const StackMemory& stack, std::size_t keep_bytes) noexcept;

  /// Down to where the pages of `stack` take memory: how deep it was used since they were given back, in
  /// pages. What was swapped out does not count.
  [[nodiscard]] static std::size_t touched_bytes(const StackMemory& stack) noexcept;

  /// Whether `address` lies in the guard of `stack`. Async-signal-safe.
  [[nodiscard]] bool in_guard(const StackMemory& stack, const void* address) const noexcept;

  [[nodiscard]] std::size_t stack_bytes() const noexcept { return stack_bytes_; }
  [[nodiscard]] std::size_t slab_count() const noexcept { return slabs_.size(); }

 private:
  struct Slab {
    std::size_t in_use = 0;
    std::vector<StackMemory> free;
    ListLink<Slab> with_room_link{this};
  };

  static constexpr std::size_t stacks_per_slab = 64;

  Slab& add_slab();
  [[nodiscard]] static bool guard(std::byte* slot) noexcept;
  [[nodiscard]] std::size_t slot_bytes() const noexcept;
  [[nodiscard]] std::size_t slab_bytes() const noexcept;
  [[nodiscard]] Slab& slab_of(const StackMemory& stack) noexcept;

  std::size_t page_bytes_;
  std::size_t stack_bytes_;
  std::map<std::byte*, Slab> slabs_;  // by their lowest address
  ListLink<Slab> with_room_;          // head; most recently used first
};

}  // namespace atlas::detail
