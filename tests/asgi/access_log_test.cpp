#include "support/captured_log.hpp"
#include "support/http_harness.hpp"

#include <atlas/asgi/access_log.hpp>

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::CapturedLog;
using ::testing::HasSubstr;
using testing::HttpHarness;
using ::testing::MatchesRegex;
using namespace std::chrono_literals;

constexpr std::array<http::Header, 2> headers{{{"user-agent", "curl/8"}, {"referer", "http://h/"}}};

AccessRecord record() {
  return {.client_host = "192.0.2.1",
          .request_line = "GET /a HTTP/1.1",
          .headers = std::span<const http::Header>(headers),
          .status = 200,
          .body_bytes = 12,
          .duration = 1500us};
}

std::string common(const AccessRecord& what) {
  return format_access_line(AccessLogFormat::common, what, 784'111'777);
}
std::string json(const AccessRecord& what) {
  return format_access_line(AccessLogFormat::json, what, 784'111'777);
}

TEST(AccessLog, CommonLine) {
  EXPECT_EQ(
      format_access_line(AccessLogFormat::common, record(), 784'111'777),
      "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/1.1\" 200 12 \"http://h/\" \"curl/8\"\n");
}

TEST(AccessLog, JsonLine) {
  EXPECT_EQ(format_access_line(AccessLogFormat::json, record(), 784'111'777),
            "{\"time\":\"1994-11-06T08:49:37Z\",\"client\":\"192.0.2.1\",\"request\":\"GET /a "
            "HTTP/1.1\",\"status\":200,"
            "\"body_bytes\":12,\"duration_us\":1500,\"referer\":\"http://h/\",\"user_agent\":\"curl/8\"}\n");
}

TEST(AccessLog, CommonLineHasDashesForWhatIsNotThere) {
  EXPECT_EQ(format_access_line(AccessLogFormat::common, {.request_line = "GET / HTTP/1.0"}, 0),
            "- - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.0\" 000 0 \"-\" \"-\"\n");
}

TEST(AccessLog, NotesOfTheApplicationAreInBothLines) {
  AccessNotes notes;
  notes.set_client("198.51.100.7");
  notes.set_user("ann lee");
  notes.set("request_id", "7\"\n");
  notes.set("route", "/a");
  notes.set("route", "/b c");
  auto what = record();
  what.notes = &notes;
  EXPECT_EQ(
      common(what),
      "198.51.100.7 - ann\\x20lee [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/1.1\" 200 12 \"http://h/\" "
      "\"curl/8\" \"request_id=7\\x22\\x0a\" \"route=/b c\"\n");
  const auto line = json(what);
  EXPECT_THAT(line, HasSubstr(R"("client":"198.51.100.7","user":"ann lee","request":)"));
  EXPECT_THAT(line,
              HasSubstr(R"("user_agent":"curl/8","fields":{"request_id":"7\"\u000a","route":"/b c"}})"));
}

TEST(AccessLog, NotesAreBounded) {
  AccessNotes notes;
  for (int i = 0; i < 100; ++i) notes.set(std::to_string(i), std::string(5000, 'x'));
  ASSERT_EQ(notes.fields().size(), AccessNotes::fields_max);
  EXPECT_EQ(notes.fields().front().value.size(), AccessNotes::text_bytes_max);
  notes.clear();
  EXPECT_TRUE(notes.fields().empty());
}

TEST(AccessLog, NotesAreOfOneRequest) {
  CapturedLog log;
  ServerOptions options = testing::plain_options();
  options.access_log = AccessLogFormat::common;
  HttpHarness harness(
      [](const Scope& scope, Receive&, Send& send) {
        if (scope.path == "/first") set_access_field(scope, "n", "1");
        answer(send, "");
      },
      options);
  harness.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto text = log.take();
  EXPECT_THAT(text, HasSubstr("\"GET /first HTTP/1.1\" 200 0 \"-\" \"-\" \"n=1\"\n"));
  EXPECT_THAT(text, HasSubstr("\"GET /second HTTP/1.1\" 200 0 \"-\" \"-\"\n"));
}

TEST(AccessLog, WithoutItThereIsNobodyToTell) {
  HttpHarness harness([](const Scope& scope, Receive&, Send& send) {
    set_access_field(scope, "a", "b");
    answer(send, scope.extensions.atlas.access_notes == nullptr ? "none" : "some");
  });
  harness.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(harness.received(), HasSubstr("none"));
}

TEST(AccessLog, CommonLineCannotBeForged) {
  const std::array<http::Header, 1> forged{{{"user-agent", "a\" 200 \\ \x7f\xff\t"}}};
  auto what = record();
  what.headers = std::span<const http::Header>(forged);
  what.request_line = "GET /\n HTTP/1.1";
  const auto line = common(what);
  EXPECT_THAT(line, HasSubstr("\"GET /\\x0a HTTP/1.1\""));
  EXPECT_THAT(line, HasSubstr("\"a\\x22 200 \\x5c \\x7f\\xff\\x09\"\n"));
}

TEST(AccessLog, JsonLineCannotBeForged) {
  const std::array<http::Header, 1> forged{{{"user-agent", "a\",\"status\":\"\\\x7f\xff\t"}}};
  auto what = record();
  what.headers = std::span<const http::Header>(forged);
  EXPECT_THAT(json(what),
              HasSubstr("\"user_agent\":\"a\\\",\\\"status\\\":\\\"\\\\\\u007f\\u00ff\\u0009\"}\n"));
}

std::string logged(AccessLogFormat format, Application application, std::string_view request) {
  auto options = testing::plain_options();
  options.access_log = format;
  CapturedLog log;
  HttpHarness harness(std::move(application), options);
  harness.send(request);
  harness.advance(1min);
  return log.take();
}

TEST(AccessLog, IsOffByDefault) { EXPECT_EQ(testing::plain_options().access_log, AccessLogFormat::off); }

TEST(AccessLog, HasALineForEachRequest) {
  const auto log = logged(
      AccessLogFormat::common, [](const Scope&, Receive&, Send& send) { answer(send, "hello"); },
      "GET /a HTTP/1.1\r\nHost: h\r\nUser-Agent: me\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(log, MatchesRegex("192.0.2.1 - - [^ ]* .0000. \"GET /a HTTP/1.1\" 200 5 \"-\" \"me\"\n"
                                "192.0.2.1 - - [^ ]* .0000. \"HEAD /b HTTP/1.1\" 200 0 \"-\" \"-\"\n"));
}

TEST(AccessLog, MeasuresTheRequest) {
  const auto log = logged(
      AccessLogFormat::json,
      [](const Scope&, Receive&, Send& send) {
        static_cast<void>(this_fiber::sleep_for(250ms));
        answer(send, "hello", 404);
      },
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(log, HasSubstr("\"status\":404,\"body_bytes\":5,\"duration_us\":250000,"));
}

TEST(AccessLog, HasNoStatusForWhatWasCutBeforeThereWasOne) {
  auto options = testing::plain_options();
  options.access_log = AccessLogFormat::common;
  CapturedLog log;
  HttpHarness harness(
      [](const Scope&, Receive& receive, Send& send) {
        send(HttpResponseStart{});
        while (!std::holds_alternative<HttpDisconnect>(receive())) continue;
      },
      options);
  harness.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  harness.client().close();
  harness.run();
  EXPECT_THAT(log.take(), HasSubstr("\"GET /a HTTP/1.1\" 000 0 "));
}

TEST(AccessLog, HasALineForWhatWasRefusedBeforeTheApplication) {
  const auto never = [](const Scope&, Receive&, Send&) { ADD_FAILURE() << "the application was called"; };
  EXPECT_THAT(logged(AccessLogFormat::common, never, "GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"),
              HasSubstr("\"GET /a HTTP/1.1\" 400 16 "));
  EXPECT_THAT(logged(AccessLogFormat::common, never, "GET foo HTTP/1.1\r\n"),
              HasSubstr("\"GET foo HTTP/1.1\" 400 "));
  EXPECT_THAT(logged(AccessLogFormat::common, never, "\x16\x03\x01"), HasSubstr("\"\\x16\\x03\\x01\" 400 "));
  EXPECT_THAT(logged(AccessLogFormat::common, never, "GET /slow HT"), HasSubstr("\"GET /slow HT\" 408 "));
}

}  // namespace
}  // namespace atlas::asgi
