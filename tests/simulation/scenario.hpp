// A short story of a server and its clients, drawn from a seed: who asks for what, who is slow, who leaves,
// what breaks, when the server is stopped. Whatever the story, some things must hold at its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atlas::testing {

struct ScenarioOutcome {
  std::vector<std::string> complaints;  ///< What did not hold; empty when all is well.
  std::uint64_t requests = 0;
  std::uint64_t fingerprint = 0;  ///< Of all that happened: the same for the same seed.
};

/// Half of all seeds are of good days, on which every response must come, whole; the others of bad ones.
[[nodiscard]] ScenarioOutcome run_scenario(std::uint64_t seed);

}  // namespace atlas::testing
