// Applications out of shared libraries, through the command.
#include "app/running_server.hpp"

#include <atlas/version.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atlas::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string hello_path() { return environment_variable("ATLAS_HELLO_PLUGIN"); }

std::string body_of(const std::string& application, const std::string& folder = ".") {
  RunningServer server({application}, {}, folder);
  auto body = server.get("/").body;
  EXPECT_EQ(server.stop(), 0);
  return body;
}

/// The line on stderr, without "atlas: " and the library's path; the status must be 2.
std::string refusal(const std::string& library, const std::string& name = "") {
  const auto outcome = run_atlas({"serve", library + name, "--port=0"});
  EXPECT_EQ(outcome.status, 2);
  const auto beginning = "atlas: " + library + ": ";
  EXPECT_THAT(outcome.err, StartsWith(beginning));
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  return outcome.err.size() < beginning.size()
             ? outcome.err
             : outcome.err.substr(beginning.size(), outcome.err.find('\n') - beginning.size());
}

TEST(Plugin, IsServedUnderTheNameOfItsLibrary) { EXPECT_EQ(body_of(hello_path()), "hello\n"); }

TEST(Plugin, IsServedUnderTheNameThatIsGiven) {
  EXPECT_EQ(body_of(hello_path() + ":hello"), "hello\n");
  EXPECT_EQ(body_of(plugin_path("libplugin_specimens.so") + ":greeting"), "greeting\n");
}

TEST(Plugin, IsServedAsAppWhenNoneHasTheLibrarysName) {
  EXPECT_EQ(body_of(plugin_path("libplugin_specimens.so")), "app\n");
}

TEST(Plugin, IsFoundInTheCurrentFolder) {
  EXPECT_EQ(body_of("libhello.so", std::filesystem::path(hello_path()).parent_path().string()), "hello\n");
}

TEST(Plugin, OfALibraryThatDoesNotExistIsRefused) {
  EXPECT_EQ(refusal("/nowhere/libhello.so"), "no such file");
  EXPECT_EQ(refusal("libc.so.6"), "no such file");  // which the system's folders have
}

TEST(Plugin, OfAFileThatIsNoLibraryIsRefused) {
  EXPECT_THAT(refusal(std::filesystem::path(hello_path()).parent_path().string()),
              StartsWith("cannot be loaded as a library: "));
  EXPECT_THAT(refusal("/proc/self/environ"), StartsWith("cannot be loaded as a library: "));
}

TEST(Plugin, OfANameThatTheLibraryDoesNotExportIsRefused) {
  EXPECT_EQ(refusal(hello_path(), ":shop"),
            "has no application 'shop' (ATLAS_APPLICATION(shop) exports one)");
}

TEST(Plugin, OfALibraryThatExportsNoneIsRefused) {
  const auto library = plugin_path("libno_plugin.so");
  EXPECT_EQ(refusal(library),
            "has no application 'no_plugin' or 'app' (name the one that it exports: " + library + ":NAME)");
}

TEST(Plugin, OfAnotherVersionIsRefusedWithBothVersions) {
  const auto message = std::string("built against Atlas 0.0.9, but this is Atlas ") + version;
  EXPECT_EQ(refusal(plugin_path("libplugin_specimens.so"), ":from_the_past"), message);
}

TEST(Plugin, OfAnotherVersionThatLacksFunctionsHereIsRefusedWithBothVersions) {
  const auto message = std::string("built against Atlas 0.0.9, but this is Atlas ") + version;
  EXPECT_EQ(refusal(plugin_path("libwrong_version.so")), message);
}

TEST(Plugin, OfThisVersionThatLacksFunctionsIsRefusedAtOnce) {
  EXPECT_THAT(refusal(plugin_path("libwrong_version.so"), ":incomplete"),
              AllOf(StartsWith("cannot be loaded as a library: "), HasSubstr("undefined symbol")));
}

TEST(Plugin, OfAnotherKindIsRefused) {
  EXPECT_EQ(refusal(plugin_path("libplugin_specimens.so"), ":impostor"),
            "what it exports is not an application of Atlas");
}

TEST(Plugin, ThatFailsToStartEndsTheCommandWithOneLine) {
  const auto outcome =
      run_atlas({"serve", plugin_path("libplugin_specimens.so") + ":unwell", "--port=0", "--log-level=off"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("atlas: the application did not start: "),
                                 EndsWith("no database\\x0aat all\n")));
}

}  // namespace
}  // namespace atlas::testing
