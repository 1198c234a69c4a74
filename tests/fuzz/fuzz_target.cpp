#include "fuzz/fuzz_target.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace atlas::testing {

void expect_same(std::string_view found, std::string_view expected, const char* what) {
  if (found == expected) return;
  std::fprintf(stderr, "%s\n---- found\n%.*s\n---- expected\n%.*s\n----\n", what,
               static_cast<int>(found.size()), found.data(), static_cast<int>(expected.size()),
               expected.data());
  std::abort();
}

}  // namespace atlas::testing

// What libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);   // NOLINT
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  atlas::testing::fuzz_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
