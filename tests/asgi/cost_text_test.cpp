#include <atlas/asgi/cost_text.hpp>

#include <gtest/gtest.h>

#include <string>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

Cost some_cost() {
  Cost cost;
  cost.processor = 1250us;
  cost.ready = 100us;
  cost.add_suspended("read file", 20ms);
  cost.add_suspended("sleep", 1500ms);
  return cost;
}

std::string server_timing(const Cost& cost) {
  std::string line = "what was there before";
  write_server_timing(line, cost);
  return line;
}

std::string fields(const Cost& cost) {
  fmt::memory_buffer line;
  append_cost_fields(line, cost);
  return fmt::to_string(line);
}

std::string object(const Cost& cost) {
  fmt::memory_buffer line;
  append_cost_object(line, cost);
  return fmt::to_string(line);
}

Cost cost_of(std::string_view reason) {
  Cost cost;
  cost.add_suspended(reason, 1ms);
  return cost;
}

TEST(CostText, ServerTimingIsInMilliseconds) {
  EXPECT_EQ(server_timing(some_cost()),
            "server-timing: cpu;dur=1.250, read-file;dur=20.000, sleep;dur=1500.000, ready;dur=0.100\r\n");
  EXPECT_EQ(server_timing({}), "server-timing: cpu;dur=0.000\r\n");
}

TEST(CostText, FieldsAreInMicroseconds) {
  EXPECT_EQ(fields(some_cost()), "cpu_us=1250 read-file_us=20000 sleep_us=1500000 ready_us=100");
  EXPECT_EQ(fields({}), "cpu_us=0");
}

TEST(CostText, ObjectIsInMicroseconds) {
  EXPECT_EQ(object(some_cost()),
            R"({"cpu_us":1250,"suspended_us":{"read-file":20000,"sleep":1500000},"ready_us":100})");
  EXPECT_EQ(object({}), R"({"cpu_us":0,"suspended_us":{},"ready_us":0})");
}

TEST(CostText, NamesAreTokensWhateverTheReason) {
  const auto cost = cost_of("a \"b\";c=\\d,\r\n\xc3\xbc");
  EXPECT_EQ(server_timing(cost), "server-timing: cpu;dur=0.000, a--b--c--d-----;dur=1.000\r\n");
  EXPECT_EQ(fields(cost), "cpu_us=0 a--b--c--d-----_us=1000");
  EXPECT_EQ(object(cost), R"({"cpu_us":0,"suspended_us":{"a--b--c--d-----":1000},"ready_us":0})");
  EXPECT_EQ(fields(cost_of("")), "cpu_us=0 -_us=1000");
}

TEST(CostText, NamesAtTheLimitAreWholeAndPastItCut) {
  EXPECT_EQ(fields(cost_of(std::string(32, 'x'))), "cpu_us=0 " + std::string(32, 'x') + "_us=1000");
  EXPECT_EQ(fields(cost_of(std::string(33, 'x'))), "cpu_us=0 " + std::string(32, 'x') + "_us=1000");
}

}  // namespace
}  // namespace atlas::asgi
