// Runs a fuzz target without libFuzzer: over the files named, over those of folders, and over a number of
// mutations of each, which are the same on every machine. For ordinary test runs, whatever the compiler.
//
//   replay_request [--mutations N] FILE_OR_FOLDER...
//
// The input that is being run lies in replay_request.last meanwhile: if the target aborts, it is there.
#include "fuzz/fuzz_target.hpp"
#include "support/random.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(fmt::format("cannot read {}", path.string()));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> inputs_in(const fs::path& path) {
  if (!fs::is_directory(path)) return {text_of(path)};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> inputs;
  inputs.reserve(files.size());
  for (const auto& file : files) inputs.push_back(text_of(file));
  return inputs;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& inputs, std::uint64_t seed) : inputs_(inputs), random_(seed) {}

  std::string mutate(std::string text) {
    for (std::size_t count = random_.between(1, 4); count > 0; --count) mutate_once(text);
    return text;
  }

 private:
  void mutate_once(std::string& text) {
    constexpr std::array<std::string_view, 12> words{"\r\n",
                                                     "\n",
                                                     "\r",
                                                     "\xFF",
                                                     ":",
                                                     " ",
                                                     ",",
                                                     "0\r\n\r\n",
                                                     "Content-Length: 3\r\n",
                                                     "Transfer-Encoding: chunked\r\n",
                                                     "%00",
                                                     "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"};
    const auto at = random_.below(text.size() + 1);
    const auto count = random_.between(1, 16);
    switch (random_.below(6)) {
      case 0: text.erase(at, count); break;
      case 1: text.insert(at, words[random_.below(words.size())]); break;
      case 2: text.insert(at, 1, static_cast<char>(random_.below(256))); break;
      case 3: text.insert(at, text.substr(random_.below(text.size() + 1), count)); break;
      case 4: splice(text, at); break;
      default: flip(text);
    }
  }

  void splice(std::string& text, std::size_t at) {
    const auto& other = inputs_[random_.below(inputs_.size())];
    text = text.substr(0, at) + other.substr(random_.below(other.size() + 1));
  }

  void flip(std::string& text) {
    if (text.empty()) return;
    auto& character = text[random_.below(text.size())];
    character = static_cast<char>(character ^ (1 << random_.below(8)));
  }

  const std::vector<std::string>& inputs_;
  Random random_;
};

/// Keeps on disk what is being run, in one file that stays open: to open it each time would take longer than
/// to run.
class LastInput {
 public:
  explicit LastInput(fs::path path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644)) {
    if (file_ < 0) throw std::runtime_error(fmt::format("cannot write {}", path_.string()));
  }
  ~LastInput() {
    ::close(file_);
    fs::remove(path_);
  }
  LastInput(const LastInput&) = delete;
  LastInput& operator=(const LastInput&) = delete;

  void run(const std::string& input) const {
    const auto written = ::pwrite(file_, input.data(), input.size(), 0);
    const bool kept = written == static_cast<ssize_t>(input.size()) && ::ftruncate(file_, written) == 0;
    if (!kept) throw std::runtime_error(fmt::format("cannot write {}", path_.string()));
    const std::vector<char> exactly(input.begin(), input.end());
    fuzz_one({exactly.data(), exactly.size()});
  }

 private:
  fs::path path_;
  int file_;
};

int replay(const std::vector<std::string>& arguments) {
  std::size_t mutations = 0;
  std::vector<std::string> inputs;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--mutations" && i + 1 < arguments.size()) {
      mutations = std::stoul(arguments[++i]);
    } else {
      std::ranges::move(inputs_in(arguments[i]), std::back_inserter(inputs));
    }
  }
  const fs::path program = arguments.front();
  const LastInput last(program.filename().string() + ".last");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    last.run(inputs[i]);
    Mutator mutator(inputs, i);
    for (std::size_t count = 0; count < mutations; ++count) last.run(mutator.mutate(inputs[i]));
  }
  fmt::print("{} inputs and {} mutations of each\n", inputs.size(), mutations);
  return inputs.empty() ? 1 : 0;
}

}  // namespace
}  // namespace atlas::testing

int main(int argc, char** argv) {
  try {
    return atlas::testing::replay(std::vector<std::string>(argv, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 2;
  }
}
