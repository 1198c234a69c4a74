// Thousands of short stories of a server in a simulated world. ATLAS_SCENARIOS=<count> tells more of them
// than the usual ones, ATLAS_SEED=<seed> begins with another, or with the one that has failed.
#include "simulation/scenario.hpp"
#include "support/captured_log.hpp"

#include <fmt/format.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace atlas {
namespace {

using testing::CapturedLog;
using ::testing::IsEmpty;
using testing::run_scenario;

constexpr std::uint64_t batches = 8;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Scenarios : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Scenarios, EndWell) {
  const auto count = from_environment("ATLAS_SCENARIOS", 4000);
  const auto first = from_environment("ATLAS_SEED", 1);
  std::uint64_t requests = 0;
  for (auto seed = first + GetParam(); seed < first + count; seed += batches) {
    CapturedLog log;
    const auto outcome = run_scenario(seed);
    requests += outcome.requests;
    ASSERT_THAT(outcome.complaints, IsEmpty())
        << "to see it again: ATLAS_SCENARIOS=1 ATLAS_SEED=" << seed << "\n"
        << log.take();
  }
  EXPECT_TRUE(count < batches || requests > 0);
}

INSTANTIATE_TEST_SUITE_P(Batch, Scenarios, ::testing::Range(std::uint64_t{0}, batches));

TEST(Scenario, IsTheSameForTheSameSeed) {
  const CapturedLog log;
  EXPECT_EQ(run_scenario(5).fingerprint, run_scenario(5).fingerprint);
  EXPECT_NE(run_scenario(5).fingerprint, run_scenario(6).fingerprint);
}

}  // namespace
}  // namespace atlas
