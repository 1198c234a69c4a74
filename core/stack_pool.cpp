#include <atlas/core/stack_pool.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/sanitizers.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <new>
#include <utility>

namespace atlas::detail {
namespace {

// Linux 6.13. Unlike mprotect, it does not split the mapping: a slab stays one entry of the
// process's map, and vm.max_map_count is no limit on fibers.
constexpr int madv_guard_install = 102;

// Wide enough that a function with a large frame does not step over it. Costs address space only.
constexpr std::size_t guard_bytes = std::size_t{64} * 1024;

constexpr std::size_t stack_bytes_min = std::size_t{16} * 1024;

// Stacks that all begin at the same offset of a page fall into the same few sets of the caches. Spread over
// a page, switching among 64 fibers takes a tenth less, among 10,000 a fifth.
constexpr std::size_t offset_step_bytes = 192;
constexpr std::size_t offset_count = 16;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

StackPool::StackPool(std::size_t stack_bytes)
    : page_bytes_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
      stack_bytes_(round_up(std::max(stack_bytes, stack_bytes_min), page_bytes_)) {}

StackPool::~StackPool() {
  release_empty_slabs();
  ATLAS_ASSERT(slabs_.empty(), "a stack pool was destroyed while a stack was in use");
}

// The guard, the stack, and a page for its offset.
std::size_t StackPool::slot_bytes() const noexcept { return guard_bytes + stack_bytes_ + page_bytes_; }

std::size_t StackPool::slab_bytes() const noexcept { return slot_bytes() * stacks_per_slab; }

StackMemory StackPool::take() {
  Slab& slab = with_room_.alone() ? add_slab() : *with_room_.next->owner;
  const StackMemory stack = slab.free.back();
  slab.free.pop_back();
  ++slab.in_use;
  if (slab.free.empty()) slab.with_room_link.unlink();
  return stack;
}

void StackPool::give_back(StackMemory stack) noexcept {
  sanitizers::forget_stack(stack.bottom, static_cast<std::size_t>(stack.top - stack.bottom));
  Slab& slab = slab_of(stack);
  slab.free.push_back(stack);  // within the capacity reserved by add_slab
  --slab.in_use;
  slab.with_room_link.unlink();
  slab.with_room_link.insert_before(*with_room_.next);
}

StackPool::Slab& StackPool::add_slab() {
  void* memory = ::mmap(nullptr, slab_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* base = static_cast<std::byte*>(memory);
  ::madvise(memory, slab_bytes(), MADV_NOHUGEPAGE);  // a huge page would commit eight stacks at once
  std::vector<StackMemory> stacks;
  stacks.reserve(stacks_per_slab);
  for (std::size_t i = stacks_per_slab; i-- > 0;) {
    std::byte* slot = base + i * slot_bytes();
    if (!guard(slot)) {
      ::munmap(memory, slab_bytes());
      throw std::bad_alloc();
    }
    const std::size_t offset_bytes = i % offset_count * offset_step_bytes;
    stacks.push_back({slot + guard_bytes, slot + slot_bytes() - offset_bytes});
  }
  Slab& slab = slabs_[base];
  slab.free = std::move(stacks);
  slab.with_room_link.insert_before(*with_room_.next);
  return slab;
}

bool StackPool::guard(std::byte* slot) noexcept {
  return ::madvise(slot, guard_bytes, madv_guard_install) == 0 ||
         ::mprotect(slot, guard_bytes, PROT_NONE) == 0;
}

void StackPool::release_empty_slabs() noexcept {
  std::erase_if(slabs_, [this](const auto& entry) {
    const auto& [base, slab] = entry;
    if (slab.in_use > 0) return false;
    ::munmap(base, slab_bytes());
    return true;
  });
}

void StackPool::discard_deep_pages(const StackMemory& stack, std::size_t keep_bytes) noexcept {
  const auto bytes = static_cast<std::size_t>(stack.top - stack.bottom);
  if (keep_bytes >= bytes) return;
  const std::size_t page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t discarded =
      keep_bytes == 0 ? round_up(bytes, page_bytes) : (bytes - keep_bytes) / page_bytes * page_bytes;
  sanitizers::forget_stack(stack.bottom, std::min(bytes, discarded));
  ::madvise(stack.bottom, discarded, MADV_DONTNEED);
}

std::size_t StackPool::touched_bytes(const StackMemory& stack) noexcept {
  constexpr std::size_t pages_at_once = 256;
  const std::size_t page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::array<unsigned char, pages_at_once> resident{};
  for (std::size_t at = 0; at < stack.bytes(); at += pages_at_once * page_bytes) {
    const std::size_t bytes = std::min(stack.bytes() - at, pages_at_once * page_bytes);
    if (::mincore(stack.bottom + at, bytes, resident.data()) != 0) return 0;
    const auto end = resident.begin() + static_cast<std::ptrdiff_t>(round_up(bytes, page_bytes) / page_bytes);
    const auto lowest = std::find_if(resident.begin(), end, [](unsigned char page) { return page % 2 != 0; });
    if (lowest != end)
      return stack.bytes() - at - static_cast<std::size_t>(lowest - resident.begin()) * page_bytes;
  }
  return 0;
}

bool StackPool::in_guard(const StackMemory& stack, const void* address) const noexcept {
  const auto* byte = static_cast<const std::byte*>(address);
  return byte >= stack.bottom - guard_bytes && byte < stack.bottom;
}

StackPool::Slab& StackPool::slab_of(const StackMemory& stack) noexcept {
  const auto after = slabs_.upper_bound(stack.bottom);
  ATLAS_ASSERT(after != slabs_.begin() && stack.bottom < std::prev(after)->first + slab_bytes(),
               "a stack was given back to a pool that does not own it");
  return std::prev(after)->second;
}

}  // namespace atlas::detail
