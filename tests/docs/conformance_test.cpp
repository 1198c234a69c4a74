// docs/conformance.md names a test for each requirement: it has to be there.
#include "docs/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

/// All `Suite.Name` of `source`.
std::vector<std::string> tests_in(const std::string& source) {
  static const std::regex definition(R"(\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\))");
  std::vector<std::string> names;
  for (std::sregex_iterator match(source.begin(), source.end(), definition), end; match != end; ++match)
    names.push_back((*match)[1].str() + "." + (*match)[2].str());
  return names;
}

std::set<std::string> all_tests() {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(source_tree / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    for (auto& name : tests_in(text_of(entry.path()))) names.insert(std::move(name));
  }
  return names;
}

/// The tests that `page` names, in back-quotes.
std::vector<std::string> tests_named(const std::string& page) {
  static const std::regex name("`([A-Z]\\w*\\.[A-Z]\\w*)`");
  std::vector<std::string> names;
  for (std::sregex_iterator match(page.begin(), page.end(), name), end; match != end; ++match)
    names.push_back((*match)[1].str());
  return names;
}

/// Requirements that are the server's own, and name no test: a row's third column says why there is none.
std::vector<std::string> rows_without_test(const std::string& page) {
  std::vector<std::string> rows;
  for (const auto& row : all_between(page, "\n| ", "\n")) {
    if (row.starts_with("section")) continue;
    const auto last_cell = row.substr(row.rfind(" | ") + 3);
    const bool explained = last_cell.starts_with("—");
    if (!explained && tests_named(row).empty()) rows.push_back(row);
  }
  return rows;
}

TEST(ConformancePage, NamesTestsThatAreThere) {
  const auto known = all_tests();
  const auto named = tests_named(text_of(source_tree / "docs/conformance.md"));
  EXPECT_THAT(named, SizeIs(::testing::Gt(100U)));
  for (const auto& name : named) EXPECT_TRUE(known.contains(name)) << "there is no test " << name;
}

TEST(ConformancePage, EachRequirementHasATestOrADash) {
  EXPECT_THAT(rows_without_test(text_of(source_tree / "docs/conformance.md")), IsEmpty());
}

TEST(ConformancePage, EveryTestOfTheTwoRfcsIsNamed) {
  const auto named = tests_named(text_of(source_tree / "docs/conformance.md"));
  for (const auto* file : {"tests/asgi/rfc9110_test.cpp", "tests/asgi/rfc9112_test.cpp"}) {
    for (const auto& test : tests_in(text_of(source_tree / file)))
      EXPECT_NE(std::ranges::find(named, test), named.end()) << "the page does not name " << test;
  }
}

TEST(ConformancePage, TestsAreFound) {
  EXPECT_THAT(tests_in("TEST(A, B) {\nTEST_F(C,\n       D) {\nint TESTS(E, F);\nTEST_P(G, H) {"),
              ElementsAre("A.B", "C.D", "G.H"));
  EXPECT_THAT(tests_named("| 2.2 | `A.B`, `--c.d` and `E.F` | `g.h` |"), ElementsAre("A.B", "E.F"));
}

TEST(ConformancePage, ARowWithoutATestIsFound) {
  EXPECT_THAT(rows_without_test("x\n| section | what |\n|---|---|\n| 1 | a | b | `A.B` |\n| 2 | a | b | — |\n"
                                "| 3 | a | b | none |\n"),
              ElementsAre("3 | a | b | none |"));
}

}  // namespace
}  // namespace atlas::testing
