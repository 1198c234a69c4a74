// The `atlas-conformance` command: on applications of libraries, and on a server in a process of its own.
#include "app/running_server.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

namespace atlas::conformance_command_test {
namespace {

using ::testing::HasSubstr;
using testing::plugin_path;
using testing::run_conformance;
using testing::RunningServer;

TEST(ConformanceCommand, ThePluginsOfThisBuildKeepTheContract) {
  for (const auto* plugin : {"libhello.so", "libdemo.so", "libconformance_probe.so"}) {
    const auto outcome = run_conformance({"--broken", "application", plugin_path(plugin)});
    EXPECT_EQ(outcome.status, 0) << plugin << ": " << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(" promises hold, 0 broken, ")) << plugin;
  }
}

TEST(ConformanceCommand, RequestsOfOnesOwnAreCheckedToo) {
  const auto outcome =
      run_conformance({"application", plugin_path("libhello.so"), "--request", "PUT /a?b=c {\"d\": 1}"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\nPUT /a?b=c\n"));
  EXPECT_THAT(outcome.out, HasSubstr("holds        a client that leaves in its body ends the call"));
}

TEST(ConformanceCommand, AnApplicationThatBreaksItIsToldOf) {
  const auto outcome = run_conformance({"application", plugin_path("libplugin_specimens.so:unwell")});
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("BROKEN       the process's 'lifespan.startup' ends with complete"));
}

TEST(ConformanceCommand, TheServerOfThisBuildKeepsTheContract) {
  const RunningServer server({plugin_path("libconformance_probe.so"), "--workers", "2"});
  const auto outcome = run_conformance({"server", "http://127.0.0.1:" + std::to_string(server.port())});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(" 0 broken, 3 not checked"));
}

TEST(ConformanceCommand, WhatIsNoApplicationAndNoUrlIsRefused) {
  EXPECT_EQ(run_conformance({}).status, 2);
  EXPECT_EQ(run_conformance({"application"}).status, 2);
  const auto no_library = run_conformance({"application", "libnone.so"});
  EXPECT_EQ(no_library.status, 2);
  EXPECT_THAT(no_library.err, HasSubstr("atlas-conformance: libnone.so"));
  const auto no_url = run_conformance({"server", "localhost:80"});
  EXPECT_EQ(no_url.status, 2);
  EXPECT_THAT(no_url.err, HasSubstr("'localhost:80' does not begin with http://"));
  const auto no_target = run_conformance({"application", plugin_path("libhello.so"), "--request", "GET a"});
  EXPECT_EQ(no_target.status, 2);
  EXPECT_THAT(no_target.err, HasSubstr("no target that begins with a slash"));
}

TEST(ConformanceCommand, NobodyListening) {
  const auto outcome = run_conformance({"--broken", "server", "http://127.0.0.1:1/"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("onnection refused"));
}

}  // namespace
}  // namespace atlas::conformance_command_test
