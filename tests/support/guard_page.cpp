#include "support/guard_page.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace atlas::testing {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::span<char> map(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return {static_cast<char*>(memory), bytes};
}

}  // namespace

GuardedText::GuardedText(std::string_view text) {
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t readable_bytes = (text.size() + page_bytes - 1) / page_bytes * page_bytes;
  mapping_ = map(readable_bytes + page_bytes);
  const std::span<char> guard = mapping_.subspan(readable_bytes);
  if (mprotect(guard.data(), guard.size(), PROT_NONE) != 0) fail("mprotect");
  bytes_ = mapping_.subspan(readable_bytes - text.size(), text.size());
  std::ranges::copy(text, bytes_.begin());
}

GuardedText::~GuardedText() { munmap(mapping_.data(), mapping_.size()); }

}  // namespace atlas::testing
