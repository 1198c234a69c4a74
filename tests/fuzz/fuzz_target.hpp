// What a fuzz target is: a function of bytes, which returns whenever all is well and aborts when it is not.
// Who calls it, libFuzzer or the replay of the corpus, is not its concern.
#pragma once

#include <string_view>

namespace atlas::testing {

/// The one target of this program. The bytes are exactly those: a byte read beyond them is an error that
/// AddressSanitizer sees.
void fuzz_one(std::string_view bytes);

/// Aborts, and shows both, unless they are the same.
void expect_same(std::string_view found, std::string_view expected, const char* what);

}  // namespace atlas::testing
