#include <atlas/core/log_sink.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/last_error.hpp>
#include <atlas/core/log_format.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/signals.hpp>
#include <atlas/core/uv/uv_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace atlas::log {
namespace {

bool is_standard_stream(std::string_view target) { return target == "stdout" || target == "stderr"; }

Result<FileDescriptor> open_target(const std::string& target) {
  // O_NONBLOCK for a named pipe: without a reader, it is an error instead of a wait without end.
  constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK;
  constexpr int mode = 0640;
  if (!is_standard_stream(target)) return uv::open_file(target, flags, mode);
  FileDescriptor copy(fcntl(target == "stdout" ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!copy) return Unexpected(detail::last_error());
  return copy;
}

// A suspend hook may log while its fiber already waits for something: then there is no second wait.
bool can_suspend(Scheduler& scheduler) {
  const auto* fiber = scheduler.running();
  return fiber != nullptr && fiber->generation % 2 == 0;
}

}  // namespace

/// Whoever waits for room, with the line: on the stack of its fiber or thread, which stays until admitted or
/// unlinked.
struct Sink::Waiter {
  explicit Waiter(std::string_view waiting_line) : line(waiting_line) {}

  std::string_view line;
  RemoteWaker waker;  // a thread without fibers waits for `admitted_` instead
  bool admitted = false;
  detail::ListLink<Waiter> link{this};
};

Result<std::unique_ptr<Sink>> Sink::open(SinkOptions options) {
  auto fd = open_target(options.target);
  if (!fd) return Unexpected(fd.error());
  ignore_broken_pipes();
  auto file = std::make_unique<uv::FileWriter>(std::move(*fd));
  return std::unique_ptr<Sink>(new Sink(std::move(options), std::move(file)));
}

Sink::Sink(SinkOptions options, std::unique_ptr<uv::FileWriter> file)
    : options_(std::move(options)),
      scheduler_(Scheduler::current()),
      level_(options_.level),
      file_(std::move(file)),
      writer_(spawn("log", [this] { run(); })) {}

Sink::~Sink() {
  const CancellationShield shield;
  static_cast<void>(drain(Deadline::after(options_.flush_timeout)));
  writer_ = {};  // what is left is given up, and noted on stderr
}

std::uint64_t Sink::lines_dropped() const {
  const std::lock_guard lock(mutex_);
  return lines_dropped_;
}

std::size_t Sink::pending_bytes() const {
  const std::lock_guard lock(mutex_);
  return unwritten_bytes();
}

void Sink::write_line(std::string_view line) {
  std::unique_lock lock(mutex_);
  if (waiters_.alone() && has_room(line, options_.pending_bytes_max)) {
    append(line);
    return wake_writer(lock);
  }
  auto* scheduler = Scheduler::current();
  if (scheduler == nullptr) return block_for_room(lock, line);
  if (can_suspend(*scheduler)) return wait_for_room(lock, line);
  append_or_drop(line);
}

bool Sink::has_room(std::string_view line, std::size_t bytes_max) const noexcept {
  const std::size_t newline_bytes = line.ends_with('\n') ? 0 : 1;
  return unwritten_bytes() == 0 || unwritten_bytes() + line.size() + newline_bytes <= bytes_max;
}

void Sink::append(std::string_view line) {
  const auto before = pending_.size();
  pending_ += line;
  if (!line.ends_with('\n')) pending_ += '\n';
  accepted_bytes_ += pending_.size() - before;
}

void Sink::append_or_drop(std::string_view line) {
  if (has_room(line, 2 * options_.pending_bytes_max)) return append(line);
  ++lines_dropped_;
}

void Sink::wait_for_room(std::unique_lock<std::mutex>& lock, std::string_view line) {
  Wait wait({"log", this});
  Waiter waiter(line);
  waiter.waker = wait.remote_waker();
  waiter.link.insert_before(waiters_);
  lock.unlock();
  static_cast<void>(wait.park());
  lock.lock();
  if (waiter.admitted) return;
  waiter.link.unlink();
  append_or_drop(line);
}

void Sink::block_for_room(std::unique_lock<std::mutex>& lock, std::string_view line) {
  Waiter waiter(line);
  waiter.link.insert_before(waiters_);
  admitted_.wait(lock, [&] { return waiter.admitted; });
}

// Only an idle writer: one that is busy looks again by itself. Outside of the lock, because it is a system
// call.
void Sink::wake_writer(std::unique_lock<std::mutex>& lock) {
  if (!std::exchange(writer_idle_, false)) return;
  const RemoteWaker writer = std::exchange(idle_writer_, {});
  lock.unlock();
  writer.wake();
}

Result<void> Sink::drain(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto accepted = accepted_bytes_;
  while (settled_bytes_ < accepted || report_due()) {
    Wait wait({"log drain", this});
    const auto waker = wait.remote_waker();
    drainers_.push_back(waker);
    lock.unlock();
    const auto outcome = wait.park(deadline);
    lock.lock();
    std::erase(drainers_, waker);  // there still when the wait was cut short
    const bool drained = settled_bytes_ >= accepted && !report_due();
    if (!outcome.woken() && !drained) return Unexpected(outcome.error());
  }
  return {};
}

Result<void> Sink::reopen() {
  ATLAS_ASSERT(Scheduler::current() == scheduler_, "a log sink is reopened on the thread that opened it");
  if (is_standard_stream(options_.target)) return {};
  auto fd = open_target(options_.target);
  if (!fd) return Unexpected(fd.error());
  next_file_ = std::make_unique<uv::FileWriter>(std::move(*fd));
  std::unique_lock lock(mutex_);
  wake_writer(lock);
  return {};
}

void Sink::run() {
  while (take_batch()) {
    if (next_file_) {
      file_ = std::move(next_file_);
      line_torn_ = false;
    }
    write_batch();
  }
}

bool Sink::take_batch() {
  std::unique_lock lock(mutex_);
  while (pending_.empty() && !next_file_ && !report_due()) {
    if (!wait_for_work(lock)) return false;
  }
  batch_.swap(pending_);
  pending_.clear();
  if (report_due()) append_report();
  return true;
}

bool Sink::wait_for_work(std::unique_lock<std::mutex>& lock) {
  Wait wait({"log lines", this});
  idle_writer_ = wait.remote_waker();
  writer_idle_ = true;
  lock.unlock();
  const bool woken = wait.park().woken();
  lock.lock();
  return woken;
}

void Sink::append_report() {
  LineBuffer line;
  const auto message = fmt::format("log lines dropped: {}", lines_dropped_ - lines_reported_);
  format_line(
      line, options_.format,
      {.time = std::chrono::system_clock::now(), .level = Level::warn, .fiber = "log", .message = message});
  batch_.append(line.data(), line.size());
  accepted_bytes_ += line.size();
  reporting_ = lines_dropped_;
}

void Sink::write_batch() {
  std::string_view rest = batch_;
  while (!rest.empty()) {
    const auto written = write_some(rest);
    if (!written) return give_up(rest, written.error());
    rest.remove_prefix(*written);
    const std::lock_guard lock(mutex_);
    settle(*written);
  }
  batch_written();
}

Result<std::size_t> Sink::write_some(std::string_view bytes) {
  if (line_torn_) {
    if (const auto ended = file_->write_some("\n"); !ended) return ended;
    line_torn_ = false;
  }
  return file_->write_some(bytes);
}

void Sink::batch_written() {
  const std::lock_guard lock(mutex_);
  failing_ = false;
  if (const auto reported = std::exchange(reporting_, 0); reported > 0) lines_reported_ = reported;
  wake_drainers();
}

void Sink::give_up(std::string_view rest, std::error_code error) {
  const bool within_batch = rest.size() < batch_.size();
  if (within_batch && *(rest.data() - 1) != '\n') line_torn_ = true;
  auto lines = static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
  if (std::exchange(reporting_, 0) > 0) --lines;
  std::unique_lock lock(mutex_);
  lines_dropped_ += lines;
  const bool failed_before = std::exchange(failing_, true);
  settle(rest.size());
  lock.unlock();
  if (!failed_before) note_failure(error, lines);
}

void Sink::note_failure(std::error_code error, std::uint64_t lines) const {
  if (options_.target == "stderr") return;
  const auto note =
      error == std::errc::operation_canceled
          ? fmt::format("atlas: {} did not take the last {} log lines in time\n", options_.target, lines)
          : fmt::format("atlas: cannot log to {}: {}; lines are dropped\n", options_.target, error.message());
  const CancellationShield shield;
  static_cast<void>(uv::write_all(STDERR_FILENO, note, Deadline::after(std::chrono::seconds(1))));
}

void Sink::settle(std::size_t bytes) {
  settled_bytes_ += bytes;
  admit_waiters();
  wake_drainers();
}

void Sink::admit_waiters() {
  bool admitted = false;
  while (!waiters_.alone()) {
    Waiter& first = *waiters_.next->owner;
    if (!has_room(first.line, options_.pending_bytes_max)) break;
    append(first.line);
    first.link.unlink();
    first.admitted = admitted = true;
    first.waker.wake();
  }
  if (admitted) admitted_.notify_all();
}

void Sink::wake_drainers() {
  for (const auto& drainer : std::exchange(drainers_, {})) drainer.wake();
}

}  // namespace atlas::log
