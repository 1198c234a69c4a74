// Processes that this one starts, without a shell, and waits for. They never outlive their object.
#pragma once

#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atlas {

/// Where one of a process's standard streams leads.
class ProcessStream {
 public:
  /// /dev/null.
  [[nodiscard]] static ProcessStream null() noexcept { return {Kind::null, -1}; }
  /// The same as ours.
  [[nodiscard]] static ProcessStream inherit() noexcept { return {Kind::inherit, -1}; }
  /// A pipe; its other end is Process::input, output or error.
  [[nodiscard]] static ProcessStream pipe() noexcept { return {Kind::pipe, -1}; }
  /// An open file (File::descriptor()), which need not stay open once the process was started.
  [[nodiscard]] static ProcessStream file(int descriptor) noexcept { return {Kind::file, descriptor}; }

 private:
  friend class Process;
  enum class Kind : std::uint8_t { null, inherit, pipe, file };
  ProcessStream(Kind kind, int descriptor) noexcept : kind_(kind), descriptor_(descriptor) {}

  Kind kind_;
  int descriptor_;
};

struct ProcessOptions {
  std::vector<std::string>
      arguments;  ///< The program, sought in PATH unless it has a slash; then what it is given.
  std::optional<std::vector<std::string>> environment;  ///< "NAME=value"; none: ours.
  std::string folder;                                   ///< Where it runs; empty: where we do.
  ProcessStream input = ProcessStream::null();
  ProcessStream output = ProcessStream::inherit();
  ProcessStream error = ProcessStream::inherit();
};

/// How a process ended.
struct ExitStatus {
  int code = 0;    ///< What it exited with; 0 when a signal ended it.
  int signal = 0;  ///< What ended it; 0 when it exited by itself.

  [[nodiscard]] bool success() const noexcept { return code == 0 && signal == 0; }
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

/// A running process. Of the thread that started it.
class Process {
 public:
  /// Starts a process; the thread is held up until it has begun (fork and exec: a millisecond or so). Errors
  /// are those of finding and running the program (no_such_file_or_directory, permission_denied, …) or of its
  /// folder. With a pipe to its input, makes this process ignore SIGPIPE (the new one does not). Its signals
  /// have their default actions, and of our descriptors it gets the three streams only.
  [[nodiscard]] static Result<Process> start(const ProcessOptions& options);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  /// On a fiber. Suspends when it still runs: kills it and waits for its end. This is also what becomes of it
  /// when the fiber that owns it is cancelled and returns.
  ~Process();

  [[nodiscard]] int id() const noexcept;

  /// The other ends of its streams; null for those that are no pipes, or were taken.
  [[nodiscard]] Stream* input() const noexcept { return input_.get(); }
  [[nodiscard]] Stream* output() const noexcept { return output_.get(); }
  [[nodiscard]] Stream* error() const noexcept { return error_.get(); }
  /// Lets it read the end of its input, after all that was written.
  void close_input() noexcept { input_.reset(); }

  /// Suspends until it has ended; how. May be called again.
  Result<ExitStatus> wait(Deadline deadline = {});
  /// Sends it a signal; no_such_process when it has ended.
  Result<void> kill(int signal);

 private:
  struct State;
  struct StateCloser {
    void operator()(State* state) const noexcept;
  };
  struct Ends;

  explicit Process(std::unique_ptr<State, StateCloser> state) noexcept;
  [[nodiscard]] static Result<Process> spawn(const ProcessOptions& options,
                                             const std::array<int, 3>& descriptors);

  std::unique_ptr<State, StateCloser> state_;
  StreamPtr input_;
  StreamPtr output_;
  StreamPtr error_;
};

}  // namespace atlas
