// The `atlas` command of this build, serving in a process of its own on a free port.
#pragma once

#include "support/blocking_client.hpp"
#include "support/process.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::testing {

inline std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: ctest sets it");
  return value;
}

/// The command's path, and `arguments`.
inline std::vector<std::string> atlas_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), environment_variable("ATLAS_COMMAND"));
  return arguments;
}

/// The path of a shared library that was built beside the hello plugin.
inline std::string plugin_path(const std::string& file) {
  return std::filesystem::path(environment_variable("ATLAS_HELLO_PLUGIN")).replace_filename(file).string();
}

struct Outcome {
  std::optional<int> status;
  std::string out;
  std::string err;
};

/// Runs a program, whose path comes first, to its end.
inline Outcome run_program(const std::vector<std::string>& program,
                           const std::vector<std::string>& environment = {},
                           const std::string& folder = ".") {
  Process process(program, environment, folder);
  auto out = process.out().rest();
  auto err = process.err().rest();
  return {process.wait(), std::move(out), std::move(err)};
}
inline Outcome run_atlas(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment = {}, const std::string& folder = ".") {
  return run_program(atlas_command(arguments), environment, folder);
}
/// The `atlas-conformance` of this build.
inline Outcome run_conformance(std::vector<std::string> arguments) {
  std::filesystem::path path = environment_variable("ATLAS_COMMAND");
  arguments.insert(arguments.begin(), path.replace_filename("atlas-conformance").string());
  return run_program(arguments);
}

class RunningServer {
 public:
  /// `atlas serve`, on one worker and a free port unless `arguments` say otherwise.
  explicit RunningServer(std::vector<std::string> arguments = {},
                         const std::vector<std::string>& environment = {}, const std::string& folder = ".")
      : process_(serving(std::move(arguments)), environment, folder) {
    const auto line = process_.out().find("listening on ");
    if (!line) throw std::runtime_error("atlas does not serve: " + process_.err().rest());
    listening_ = line->substr(line->find("listening on ") + 13);
  }

  /// What the log line says after "listening on".
  [[nodiscard]] const std::string& listening() const noexcept { return listening_; }
  [[nodiscard]] std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoul(listening_.substr(listening_.find(':', 7) + 1)));
  }
  [[nodiscard]] Process& process() noexcept { return process_; }
  [[nodiscard]] Response get(const std::string& target) const {
    return BlockingClient(port()).request("GET", target);
  }

  [[nodiscard]] std::optional<int> stop(int signal = SIGTERM) {
    process_.signal(signal);
    return process_.wait();
  }

 private:
  static std::vector<std::string> serving(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"serve", "--port", "0", "--workers", "1"});
    return atlas_command(std::move(arguments));
  }

  Process process_;
  std::string listening_;
};

}  // namespace atlas::testing
