// Holds the pages of docs/ to what they show: the C++ of a page that says where it is compiled is compiled
// there. A page says so in a comment, anywhere, which its readers do not see:
//
//   <!-- compiled: tests/docs/synchronisation_test.cpp -->
//
// Each of its ```cpp blocks must then stand in that file, or in one of several that are named like this;
// white space aside, so that the file may indent them. Running them is the file's own business.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {
namespace {

namespace fs = std::filesystem;

const fs::path tree = fs::path(__FILE__).parent_path() / "../..";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string without_white_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return text;
}

/// Whatever stands between `opening` and `closing`.
std::vector<std::string> all_between(const std::string& text, std::string_view opening,
                                     std::string_view closing) {
  std::vector<std::string> found;
  for (auto begin = text.find(opening); begin != std::string::npos; begin = text.find(opening, begin)) {
    begin += opening.size();
    found.push_back(text.substr(begin, text.find(closing, begin) - begin));
  }
  return found;
}

std::vector<std::string> compiled_in(const std::string& page) {
  return all_between(page, "<!-- compiled: ", " -->");
}

/// The examples of `page` that are not in `sources`.
std::vector<std::string> not_compiled(const std::string& page, const std::string& sources) {
  auto examples = all_between(page, "```cpp\n", "```");
  const std::string compiled = without_white_space(sources);
  std::erase_if(examples, [&](const std::string& example) {
    return compiled.find(without_white_space(example)) != std::string::npos;
  });
  return examples;
}

TEST(Pages, ShowWhatIsCompiled) {
  int pages = 0;
  for (const auto& entry : fs::directory_iterator(tree / "docs")) {
    if (entry.path().extension() != ".md") continue;
    const std::string page = text_of(entry.path());
    std::string sources;
    for (const auto& name : compiled_in(page)) sources += text_of(tree / name);
    if (sources.empty()) continue;
    ++pages;
    for (const auto& example : not_compiled(page, sources)) {
      ADD_FAILURE() << entry.path().filename() << " shows what is not compiled:\n" << example;
    }
  }
  EXPECT_GT(pages, 0) << "no page says where its examples are compiled";
}

TEST(Pages, WhatDiffersFromWhatIsCompiledIsFound) {
  const std::string page =
      "<!-- compiled: a.cpp -->\n```cpp\nint f() {\n  return 1;\n}\n```\n```sh\nls\n```\n";
  EXPECT_EQ(compiled_in(page), std::vector<std::string>{"a.cpp"});
  EXPECT_TRUE(not_compiled(page, "struct S {\n  int f() {\n    return 1;\n  }\n};\n").empty());
  EXPECT_EQ(not_compiled(page, "int f() { return 2; }"),
            std::vector<std::string>{"int f() {\n  return 1;\n}\n"});
}

}  // namespace
}  // namespace atlas
