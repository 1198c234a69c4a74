#include <atlas/core/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace atlas::detail {

void assertion_failed(const char* condition, const char* message, const char* file, int line) noexcept {
  std::fprintf(stderr, "atlas: %s (%s, %s:%d)\n", message, condition, file, line);
  std::abort();
}

}  // namespace atlas::detail
