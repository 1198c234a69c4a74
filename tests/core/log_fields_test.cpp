#include <atlas/core/log_fields.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/log_format.hpp>
#include "support/captured_log.hpp"
#include "support/manual_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atlas::log {
namespace {

using namespace std::chrono_literals;
using testing::CapturedLog;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::TestLoop;

/// `name=value`, as they are bound here.
std::vector<std::string> bound() {
  std::vector<std::string> all;
  const FieldsHere here;
  for (const auto& [name, value] : here.all()) all.push_back(std::string(name) + '=' + std::string(value));
  return all;
}

/// The line for a message in `format`, with one field.
std::string line_with(Format format, Field field) {
  LineBuffer buffer;
  format_line(buffer, format, {.fiber = "f", .fields = {&field, 1}, .message = "m"});
  return {buffer.data(), buffer.size()};
}

TEST(LogFields, AreNoneAtFirstAndOutsideOfFibers) {
  EXPECT_THAT(bound(), IsEmpty());
  TestLoop loop;
  loop.run([] { EXPECT_THAT(bound(), IsEmpty()); });
}

TEST(LogFields, AreListedFromTheOutermost) {
  TestLoop loop;
  loop.run([] {
    const FieldScope id("request_id", "b7f3");
    {
      const FieldScope user("user", "ada");
      EXPECT_THAT(bound(), ElementsAre("request_id=b7f3", "user=ada"));
    }
    EXPECT_THAT(bound(), ElementsAre("request_id=b7f3"));
  });
}

TEST(LogFields, AreInheritedAndKeptByChildren) {
  TestLoop loop;
  loop.run([] {
    Fiber child;
    {
      const FieldScope id("request_id", "b7f3");
      child = spawn("child", [] {
        this_fiber::sleep_for(1s).value();
        const FieldScope own("step", "2");
        EXPECT_THAT(bound(), ElementsAre("request_id=b7f3", "step=2"));
      });
    }
    EXPECT_THAT(bound(), IsEmpty());
    child.join().value();
  });
}

TEST(LogFields, AreNoneOfOtherFibers) {
  TestLoop loop;
  loop.run([] {
    auto other = spawn("other", [] {
      const FieldScope id("request_id", "other");
      this_fiber::sleep_for(1s).value();
    });
    this_fiber::sleep_for(1ms).value();
    EXPECT_THAT(bound(), IsEmpty());
    other.join().value();
  });
}

TEST(LogFields, InnerOneHidesTheOuterOfItsName) {
  TestLoop loop;
  loop.run([] {
    const FieldScope outer("step", "1");
    const FieldScope between("user", "ada");
    const FieldScope inner("step", "2");
    EXPECT_THAT(bound(), ElementsAre("user=ada", "step=2"));
  });
}

TEST(LogFields, TheBoundKeepsTheInnermost) {
  const std::function<void(std::size_t)> nest = [&](std::size_t depth) {
    const FieldScope scope("f" + std::to_string(depth), "v");
    if (depth < fields_max) return nest(depth + 1);
    const auto all = bound();  // f0 to f16: one more than there may be
    ASSERT_EQ(all.size(), fields_max);
    EXPECT_EQ(all.front(), "f1=v");
    EXPECT_EQ(all.back(), "f" + std::to_string(fields_max) + "=v");
  };
  TestLoop loop;
  loop.run([&] { nest(0); });
}

TEST(LogFields, NamesAreMadeSafe) {
  struct {
    std::string_view given, bound;
  } const cases[] = {
      {"a\"b\\c d\n=]", "a_b_c_d___"},
      {"user-agent.1", "user-agent.1"},
      {"", "_"},
      {"message", "message_"},
      {"time", "time_"},
      {"level", "level_"},
      {"fiber", "fiber_"},
      {"worker", "worker_"},
      {"gr\xc3\xbcn", "gr__n"},
  };
  TestLoop loop;
  loop.run([&] {
    for (const auto& one : cases) {
      const FieldScope scope(one.given, "v");
      EXPECT_THAT(bound(), ElementsAre(std::string(one.bound) + "=v"));
    }
  });
}

TEST(LogFields, NamesAtTheLimitAreWholeAndPastItCut) {
  TestLoop loop;
  loop.run([] {
    const FieldScope whole(std::string(field_name_bytes_max, 'a'), "v");
    const FieldScope cut(std::string(field_name_bytes_max + 1, 'b'), "v");
    EXPECT_THAT(bound(), ElementsAre(std::string(field_name_bytes_max, 'a') + "=v",
                                     std::string(field_name_bytes_max, 'b') + "=v"));
  });
}

TEST(LogFields, ValuesAtTheLimitAreWholeAndPastItCutBetweenCharacters) {
  TestLoop loop;
  loop.run([] {
    const std::string whole(field_value_bytes_max, 'x');
    const FieldScope a("a", whole);
    const FieldScope b("b", whole + "y");
    const FieldScope c("c", whole.substr(1) + "\xc3\xbc");
    EXPECT_THAT(bound(), ElementsAre("a=" + whole, "b=" + whole + "…", "c=" + whole.substr(1) + "…"));
  });
}

TEST(LogFields, TextHasThemBeforeTheMessage) {
  EXPECT_THAT(line_with(Format::text, {"request_id", "b7f3"}), EndsWith(" INFO  [f request_id=b7f3] m\n"));
}

TEST(LogFields, TextQuotesWhatIsNotAPlainWord) {
  struct {
    std::string_view value, written;
  } const cases[] = {
      {"", R"("")"},
      {"/a?b&c", "/a?b&c"},
      {"two words", R"("two words")"},
      {"x admin=yes", R"("x admin=yes")"},
      {"a=b", R"("a=b")"},
      {"gr\xc3\xbcn", "\"gr\xc3\xbcn\""},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(line_with(Format::text, {"k", one.value}),
                EndsWith("[f k=" + std::string(one.written) + "] m\n"));
  }
}

TEST(LogFields, TextValueForgesNeitherLineNorFieldNorMessage) {
  EXPECT_THAT(line_with(Format::text, {"k", "a\" b=\"c\\ [d] e\n\x1b\xff"}),
              EndsWith(R"([f k="a\x22 b=\x22c\x5c [d\x5d e\x0a\x1b\xff"] m)"
                       "\n"));
}

TEST(LogFields, JsonHasThemAsMembersBeforeTheMessage) {
  EXPECT_THAT(line_with(Format::json, {"request_id", "b7f3"}),
              EndsWith(R"(,"fiber":"f","request_id":"b7f3","message":"m"})"
                       "\n"));
}

TEST(LogFields, JsonValueCannotForgeMembers) {
  EXPECT_THAT(line_with(Format::json, {"k", "a\",\"level\":\"\\\n\xff"}),
              EndsWith(R"(,"k":"a\",\"level\":\"\\\n\ufffd","message":"m"})"
                       "\n"));
}

TEST(LogFields, LinesOfAFiberHaveThem) {
  CapturedLog log;
  TestLoop loop;
  loop.run([] {
    const FieldScope id("request_id", "b7f3");
    info("within");
    spawn("child", [] { warn("a child's"); }).join().value();
  });
  loop.run([] { info("without"); });
  const auto text = log.take();
  EXPECT_THAT(text, HasSubstr("INFO  [test request_id=b7f3] within\n"));
  EXPECT_THAT(text, HasSubstr("WARN  [child request_id=b7f3] a child's\n"));
  EXPECT_THAT(text, HasSubstr("INFO  [test] without\n"));
}

}  // namespace
}  // namespace atlas::log
