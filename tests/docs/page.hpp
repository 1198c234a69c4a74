// The pages of docs/ as a test reads them: what stands in their blocks of code.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::testing {

/// Where this tree's sources lie.
inline const std::filesystem::path source_tree = ATLAS_SOURCE_DIR;

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// README.md, and all of docs/.
inline std::vector<std::filesystem::path> all_pages() {
  std::vector<std::filesystem::path> pages{source_tree / "README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(source_tree / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  return pages;
}

/// Whatever stands between `opening` and `closing`.
inline std::vector<std::string> all_between(const std::string& text, std::string_view opening,
                                            std::string_view closing) {
  std::vector<std::string> found;
  for (auto begin = text.find(opening); begin != std::string::npos; begin = text.find(opening, begin)) {
    begin += opening.size();
    found.push_back(text.substr(begin, text.find(closing, begin) - begin));
  }
  return found;
}

/// A page's blocks of one language: "cpp", "sh", "toml".
inline std::vector<std::string> blocks(const std::string& page, const std::string& language) {
  return all_between(page, "```" + language + "\n", "```");
}

}  // namespace atlas::testing
