// The examples of docs/logging.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/log_fields.hpp>
#include <atlas/core/log_sink.hpp>
#include <atlas/core/scheduler.hpp>
#include "support/captured_log.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace atlas {
namespace {

using testing::CapturedLog;
using ::testing::HasSubstr;
using ::testing::Not;

void charge(std::string_view customer, int cents) {
  log::info("{} pays {} cents", customer, cents);
  if (cents > 100'000) log::warn("that is much for one order");
  log::debug("nothing of this line is formatted unless the level is debug or trace");
}

void serve_order(std::string_view request_id, std::string_view customer) {
  const log::FieldScope id("request_id", request_id);
  const log::FieldScope who("customer", customer);
  log::info("order taken");
  FiberGroup group;
  group.spawn("mail", [] { log::info("confirmation sent"); });  // has both fields, too
  group.join().value();
}

void run_with_a_log(const std::string& path) {
  auto sink =
      log::Sink::open({.target = path, .format = log::Format::json, .level = log::Level::debug}).value();
  Scheduler::current()->set_log_sink(sink.get());
  log::info("this thread's lines go to {} from here on", path);
  Scheduler::current()->set_log_sink(nullptr);
}  // what is pending is written before the sink ends

TEST(LoggingPage, LevelsBelowInfoAreNotWrittenWithoutASink) {
  CapturedLog log;
  charge("ada", 100'001);
  const auto text = log.take();
  EXPECT_THAT(text, HasSubstr("INFO  [-] ada pays 100001 cents\n"));
  EXPECT_THAT(text, HasSubstr("WARN  [-] that is much for one order\n"));
  EXPECT_THAT(text, Not(HasSubstr("nothing of this line")));
}

TEST(LoggingPage, FieldsAreOnEveryLineOfTheOrder) {
  CapturedLog log;
  run_event_loop([] { serve_order("b7f3", "Ada Lovelace"); });
  const auto text = log.take();
  EXPECT_THAT(text, HasSubstr(" request_id=b7f3 customer=\"Ada Lovelace\"] order taken\n"));
  EXPECT_THAT(text, HasSubstr(" [mail request_id=b7f3 customer=\"Ada Lovelace\"] confirmation sent\n"));
}

TEST(LoggingPage, ASinkWritesToAFile) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() + "/log";
  run_event_loop([&] { run_with_a_log(path); });
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_THAT(text, HasSubstr("\"level\":\"info\""));
  EXPECT_THAT(text, HasSubstr("\"message\":\"this thread's lines go to " + path));
}

}  // namespace
}  // namespace atlas
