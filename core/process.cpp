#include <atlas/core/process.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/last_error.hpp>
#include <atlas/core/signals.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/unhurried.hpp>
#include <atlas/core/uv/uv_driver.hpp>
#include <atlas/core/uv/uv_stream.hpp>
#include <atlas/core/wait.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

namespace atlas {
namespace {

/// The null-terminated array that exec wants, and does not write to; points into `strings`.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

uv_stdio_container_t container_of(int descriptor) {
  uv_stdio_container_t container{};
  container.flags = descriptor < 0 ? UV_IGNORE : UV_INHERIT_FD;
  container.data.fd = descriptor;
  return container;
}

}  // namespace

/// The process as libuv knows it; freed when libuv has closed the handle.
struct Process::State {
  State() { handle.data = this; }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static void on_exit(uv_process_t* handle, std::int64_t code, int signal) {
    auto& state = *static_cast<State*>(handle->data);
    state.status = {.code = static_cast<int>(code), .signal = signal};
    state.ended = true;
    const Waker waiter = state.waiter;
    waiter.wake();
  }
  Result<void> await_end(Deadline deadline);
  void close() noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle),
             [](uv_handle_t* closed) { std::unique_ptr<State>(static_cast<State*>(closed->data)).reset(); });
  }

  uv_process_t handle{};
  Waker waiter;
  ExitStatus status;
  bool ended = false;
};

/// What becomes one of the process's streams, and our end of it.
struct Process::Ends {
  static Result<Ends> open(ProcessStream stream, int standard);
  Result<void> adopt(StreamPtr& stream);

  FileDescriptor pipe_of_child;
  FileDescriptor ours;
  int child = -1;  // none: /dev/null
};

Result<Process::Ends> Process::Ends::open(ProcessStream stream, int standard) {
  Ends ends;
  if (stream.kind_ == ProcessStream::Kind::inherit) ends.child = standard;
  if (stream.kind_ == ProcessStream::Kind::file) ends.child = stream.descriptor_;
  if (stream.kind_ != ProcessStream::Kind::pipe) return ends;
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return Unexpected(detail::last_error());
  const bool child_reads = standard == STDIN_FILENO;
  if (child_reads) ignore_broken_pipes();
  ends.pipe_of_child = FileDescriptor(fds[child_reads ? 0 : 1]);
  ends.ours = FileDescriptor(fds[child_reads ? 1 : 0]);
  ends.child = ends.pipe_of_child.get();
  return ends;
}

Result<void> Process::Ends::adopt(StreamPtr& stream) {
  if (!ours) return {};
  auto adopted = uv::UvStream::open(std::move(ours), SocketAddress());
  if (!adopted) return Unexpected(adopted.error());
  stream = *std::move(adopted);
  return {};
}

void Process::StateCloser::operator()(State* state) const noexcept {
  if (!state->ended) {
    uv_process_kill(&state->handle, SIGKILL);
    const detail::Unhurried unhurried;
    ATLAS_ASSERT(state->await_end({}), "an unhurried wait was cut short");
  }
  state->close();
}

Process::Process(std::unique_ptr<State, StateCloser> state) noexcept : state_(std::move(state)) {}
Process::Process(Process&& other) noexcept = default;
Process& Process::operator=(Process&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  std::swap(error_, other.error_);
  return *this;
}
Process::~Process() = default;

Result<Process> Process::start(const ProcessOptions& options) {
  if (options.arguments.empty()) return Unexpected(std::errc::invalid_argument);
  auto input = Ends::open(options.input, STDIN_FILENO);
  auto output = Ends::open(options.output, STDOUT_FILENO);
  auto error = Ends::open(options.error, STDERR_FILENO);
  for (const auto* ends : {&input, &output, &error}) {
    if (!*ends) return Unexpected(ends->error());
  }
  auto process = spawn(options, {input->child, output->child, error->child});
  if (!process) return process;
  if (auto adopted = input->adopt(process->input_); !adopted) return Unexpected(adopted.error());
  if (auto adopted = output->adopt(process->output_); !adopted) return Unexpected(adopted.error());
  if (auto adopted = error->adopt(process->error_); !adopted) return Unexpected(adopted.error());
  return process;
}

Result<Process> Process::spawn(const ProcessOptions& options, const std::array<int, 3>& descriptors) {
  std::array<uv_stdio_container_t, 3> streams{};
  for (std::size_t i = 0; i < streams.size(); ++i) streams[i] = container_of(descriptors[i]);
  auto arguments = pointers_to(options.arguments);
  auto environment = options.environment ? pointers_to(*options.environment) : std::vector<char*>();
  uv_process_options_t native{};
  native.exit_cb = State::on_exit;
  native.file = arguments.front();
  native.args = arguments.data();
  native.env = environment.empty() ? nullptr : environment.data();
  native.cwd = options.folder.empty() ? nullptr : options.folder.c_str();
  native.stdio = streams.data();
  native.stdio_count = static_cast<int>(streams.size());
  std::unique_ptr<State, StateCloser> state(std::make_unique<State>().release());
  const int status = uv_spawn(uv::current_loop(), &state->handle, &native);
  state->ended = status < 0;
  if (status < 0) return Unexpected(uv::to_error(status));
  return Process(std::move(state));
}

int Process::id() const noexcept { return state_->handle.pid; }

Result<void> Process::State::await_end(Deadline deadline) {
  if (ended) return {};
  Wait wait({"process", this});
  waiter = wait.waker();
  const auto outcome = wait.park(deadline);
  if (!ended) return Unexpected(outcome.error());
  return {};
}

Result<ExitStatus> Process::wait(Deadline deadline) {
  if (auto ended = state_->await_end(deadline); !ended) return Unexpected(ended.error());
  return state_->status;
}

Result<void> Process::kill(int signal) {
  if (state_->ended) return Unexpected(std::errc::no_such_process);
  if (const int status = uv_process_kill(&state_->handle, signal); status < 0)
    return Unexpected(uv::to_error(status));
  return {};
}

}  // namespace atlas
