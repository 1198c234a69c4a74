// Holds README.md and the pages of docs/ to what they show. The C++ of a page is compiled somewhere, and the
// page says where in a comment that its readers do not see:
//
//   <!-- compiled: tests/docs/synchronisation_test.cpp -->
//
// Each of its ```cpp blocks must stand in that file, or in one of several that are named like this; white
// space aside, so that the file may indent them. Running them is the file's own business. A page may also say
// which test takes its blocks out of it, and builds them:
//
//   <!-- built: tests/package/package_test.sh -->
#include "docs/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

std::string without_white_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return text;
}

std::vector<std::string> compiled_in(const std::string& page) {
  return all_between(page, "<!-- compiled: ", " -->");
}

/// The examples of `page` that are not in `sources`.
std::vector<std::string> not_compiled(const std::string& page, const std::string& sources) {
  auto examples = blocks(page, "cpp");
  const std::string compiled = without_white_space(sources);
  std::erase_if(examples, [&](const std::string& example) {
    return compiled.find(without_white_space(example)) != std::string::npos;
  });
  return examples;
}

/// Without what stands between two `fence`s.
std::string without(std::string text, const std::string& fence) {
  for (auto begin = text.find(fence); begin != std::string::npos; begin = text.find(fence, begin)) {
    const auto end = text.find(fence, begin + fence.size());
    text.erase(begin, std::min(end, text.size() - fence.size()) + fence.size() - begin);
  }
  return text;
}

/// The files that `page` links to, as it names them.
std::vector<std::string> files_linked(const std::string& page) {
  auto targets = all_between(without(without(page, "```"), "`"), "](", ")");
  std::erase_if(targets, [](const std::string& target) {
    return target.starts_with('#') || target.find("://") != std::string::npos;
  });
  for (auto& target : targets) target.erase(std::min(target.find('#'), target.size()));
  return targets;
}

TEST(Pages, ShowWhatIsCompiled) {
  for (const auto& path : all_pages()) {
    const std::string page = text_of(path);
    if (const auto test = all_between(page, "<!-- built: ", " -->"); !test.empty()) {
      EXPECT_THAT(text_of(source_tree / test.front()), HasSubstr("docs/" + path.filename().string()));
      continue;
    }
    std::string sources;
    for (const auto& name : compiled_in(page)) sources += text_of(source_tree / name);
    for (const auto& example : not_compiled(page, sources)) {
      ADD_FAILURE() << path.filename() << " shows what is not compiled where it says:\n" << example;
    }
  }
}

TEST(Pages, WhatDiffersFromWhatIsCompiledIsFound) {
  const std::string page =
      "<!-- compiled: a.cpp -->\n```cpp\nint f() {\n  return 1;\n}\n```\n```sh\nls\n```\n";
  EXPECT_THAT(compiled_in(page), ElementsAre("a.cpp"));
  EXPECT_THAT(not_compiled(page, "struct S {\n  int f() {\n    return 1;\n  }\n};\n"), IsEmpty());
  EXPECT_THAT(not_compiled(page, "int f() { return 2; }"), ElementsAre("int f() {\n  return 1;\n}\n"));
}

TEST(Pages, AnExampleThatIsCompiledNowhereIsFound) {
  EXPECT_THAT(not_compiled("```cpp\nint f();\n```\n", ""), ElementsAre("int f();\n"));
}

TEST(Pages, ReadmeShowsAllOfTheHelloApplication) {
  const std::string readme = text_of(source_tree / "README.md");
  const fs::path package = source_tree / "tests/package";
  EXPECT_THAT(blocks(readme, "cpp"), ElementsAre(text_of(package / "hello.cpp")));
  EXPECT_THAT(blocks(readme, "cmake"), ElementsAre(text_of(package / "CMakeLists.txt")));
}

TEST(Pages, LinkToWhatIsThere) {
  for (const auto& path : all_pages()) {
    for (const auto& target : files_linked(text_of(path))) {
      EXPECT_TRUE(fs::exists(path.parent_path() / target)) << path.filename() << " links to " << target;
    }
  }
}

TEST(Pages, LinksAreFound) {
  EXPECT_THAT(files_linked("[a](a.md) [`b`](../b.md#part) [c](#part) [d](https://d)"),
              ElementsAre("a.md", "../b.md"));
  EXPECT_THAT(files_linked("```\n[](int) {}\n```\n`[](int)` [a](a.md)"), ElementsAre("a.md"));
}

TEST(Pages, AreAllInTheIndex) {
  const std::string index = text_of(source_tree / "docs/README.md");
  for (const auto& path : all_pages()) {
    if (path.filename() == "README.md") continue;
    EXPECT_THAT(index, HasSubstr("](" + path.filename().string() + ")"));
  }
  EXPECT_THAT(text_of(source_tree / "README.md"), HasSubstr("](docs/README.md)"));
}

}  // namespace
}  // namespace atlas::testing
