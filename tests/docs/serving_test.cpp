// Does what docs/serving.md shows: runs its commands, reads its files, makes its mistakes.
#include "app/running_server.hpp"
#include "docs/page.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string page = text_of(source_tree / "docs/serving.md");

/// A line's words, without its comment.
std::vector<std::string> words(const std::string& line) {
  std::istringstream text(line.substr(0, line.find(" #")));
  return {std::istream_iterator<std::string>(text), {}};
}

/// The lines of the page's shell blocks that begin with `command`: the words behind it.
std::vector<std::vector<std::string>> arguments_of(const std::string& command) {
  std::vector<std::vector<std::string>> all;
  for (const auto& block : blocks(page, "sh")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(command + " ")) continue;
      all.push_back(words(line.substr(command.size())));
    }
  }
  return all;
}

/// Without the page's ports, which may be in use: RunningServer asks for a free one.
std::vector<std::string> on_a_free_port(std::vector<std::string> arguments) {
  for (auto it = arguments.begin(); it != arguments.end();) {
    it = *it == "--port" ? arguments.erase(it, it + 2) : it + 1;
  }
  return arguments;
}

TEST(ServingPage, ItsCommandsServe) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("shop.toml")) << blocks(page, "toml").at(0);
  const auto commands = arguments_of("build/release/bin/atlas serve");
  ASSERT_THAT(commands, SizeIs(3));
  for (auto arguments : commands) {
    for (auto& argument : arguments) {
      if (argument == "build/release/lib/libhello.so") argument = environment_variable("ATLAS_HELLO_PLUGIN");
    }
    RunningServer server(on_a_free_port(arguments), {}, folder.path());
    EXPECT_EQ(server.get("/").status, 200);
    EXPECT_EQ(server.stop(), 0);
  }
}

TEST(ServingPage, ItsFileCountsAfterEnvironmentAndCommandLine) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("shop.toml")) << blocks(page, "toml").at(0);
  RunningServer server({"--config", "shop.toml"}, {}, folder.path());
  EXPECT_EQ(server.get("/plaintext").status, 200);
  EXPECT_THAT(server.process().out().next().value_or(""), HasSubstr("\"GET /plaintext HTTP/1.1\" 200"));
  RunningServer other({"--config", "shop.toml"}, {"ATLAS_ACCESS_LOG=json"}, folder.path());
  EXPECT_EQ(other.get("/plaintext").status, 200);
  EXPECT_THAT(other.process().out().next().value_or(""), StartsWith("{"));
}

TEST(ServingPage, ItsMistakesAreRefusedAsItSays) {
  std::istringstream lines(blocks(page, "console").at(0));
  std::string command;
  std::string refusal;
  ASSERT_TRUE(std::getline(lines, command) && std::getline(lines, refusal));
  const auto environment = words(command).at(1);
  ASSERT_EQ(command, "$ " + environment + " build/release/bin/atlas serve");
  const auto outcome = run_atlas({"serve"}, {environment});
  EXPECT_EQ(outcome.err, refusal + "\n");
  EXPECT_EQ(outcome.status, 2);
}

TEST(Pages, NameOptionsThatThereAre) {
  const auto help = run_atlas({"serve", "--help"}).out + run_conformance({"application", "--help"}).out;
  std::size_t named = 0;
  for (const auto& path : all_pages()) {
    for (const auto& span : all_between(text_of(path), "`--", "`")) {
      const auto name = span.substr(0, span.find_first_of(" ="));
      EXPECT_THAT(help, HasSubstr("--" + name + " ")) << path.filename();
      ++named;
    }
  }
  EXPECT_GT(named, 5U);
}

}  // namespace
}  // namespace atlas::testing
