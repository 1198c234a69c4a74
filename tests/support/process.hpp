// A program in a process of its own: started, read line by line, signalled, waited for. Blocks the calling
// thread; for tests whose point is a real process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace atlas::testing {

/// What is read from one of the process's outputs.
class OutputLines {
 public:
  explicit OutputLines(int descriptor) : descriptor_(descriptor) {}
  ~OutputLines();
  OutputLines(OutputLines&& other) noexcept;
  OutputLines& operator=(OutputLines&&) = delete;

  /// The next line, without its line feed; nothing at the end, or when none came in time.
  [[nodiscard]] std::optional<std::string> next(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  /// Reads on to the first line that has `text` in it, which it returns; nothing when there was none.
  [[nodiscard]] std::optional<std::string> find(const std::string& text);
  /// Everything to the end.
  [[nodiscard]] std::string rest();

 private:
  [[nodiscard]] bool read_more(std::chrono::steady_clock::time_point deadline);

  int descriptor_;
  std::string unread_;
  bool ended_ = false;
};

/// Killed, when it is still running, with the object.
class Process {
 public:
  /// `arguments` begins with the program's path. The environment is this process's without ATLAS_… variables,
  /// and with `environment` ("NAME=value"). Throws std::system_error.
  explicit Process(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment = {}, const std::string& folder = ".");
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] OutputLines& out() noexcept { return out_; }
  [[nodiscard]] OutputLines& err() noexcept { return err_; }
  [[nodiscard]] pid_t id() const noexcept { return id_; }
  void signal(int number) const;

  /// The status it exits with, or 128 and the number of the signal that ended it; nothing when it does not
  /// end in time.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds timeout = std::chrono::seconds(20));

 private:
  struct Pipes;
  Process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
          const std::string& folder, Pipes pipes);

  OutputLines out_;
  OutputLines err_;
  pid_t id_ = -1;
  std::optional<int> status_;
};

}  // namespace atlas::testing
