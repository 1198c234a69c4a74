// Where log lines go: one sink for the whole process, shared by all worker threads. They append whole lines
// to a bounded buffer; a fiber of the thread that opened the sink writes them out. It knows nothing of what
// the lines say.
#pragma once

#include <atlas/core/fiber.hpp>
#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {
class Scheduler;
}
namespace atlas::uv {
class FileWriter;
}

namespace atlas::log {

struct SinkOptions {
  std::string target = "stdout";  ///< "stdout", "stderr", or the path of a file, which is appended to.
  Format format = Format::text;
  Level level = Level::info;                                 ///< Lines below it are not even formatted.
  std::size_t pending_bytes_max = std::size_t{1024} * 1024;  ///< Accepted and not yet written.
  Duration flush_timeout = std::chrono::seconds(2);          ///< What the destructor waits for the rest.
};

/// Set it on the scheduler of every thread whose `log::…` lines it shall take (Scheduler::set_log_sink).
///
/// A target that fails (a closed pipe, a full disk) costs lines, never the server: they are counted, the
/// failure is noted once on stderr, and every later batch tries again. Once one gets through, a line says
/// how many are missing.
class Sink {
 public:
  /// Suspends while the target is opened. The writing fiber belongs to the caller's scheduler, which must be
  /// on libuv's driver. Makes the process ignore SIGPIPE.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> open(SinkOptions options);
  /// Suspends, up to `flush_timeout`, until all is written. On the thread that opened it, when nobody else
  /// writes to it any more.
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Suspends while `pending_bytes_max` is reached; the lines of those who wait are taken in the order they
  /// came. `line` is complete; its newline is added if missing. From any thread:
  /// - A fiber whose wait ends early (cancelled, or its deadline is over) leaves its line all the same.
  /// - Who cannot suspend (a loop's callback) does not wait. Both use a reserve, up to twice the bound; past
  /// that a
  ///   line is dropped and counted.
  /// - A thread without a scheduler is blocked instead.
  void write_line(std::string_view line);

  /// Suspends until everything accepted before is written, or given up because the target fails. On a fiber
  /// of any thread.
  Result<void> drain(Deadline deadline = {});

  /// Suspends while a file target is opened anew by its path, for after a log was rotated: what is not
  /// written yet goes to the new file. On error the sink keeps the old one. Nothing to do for stdout and
  /// stderr. On a fiber of the thread that opened the sink.
  Result<void> reopen();

  [[nodiscard]] Format format() const noexcept { return options_.format; }
  [[nodiscard]] Level level() const noexcept { return level_.load(std::memory_order_relaxed); }
  void set_level(Level level) noexcept { level_.store(level, std::memory_order_relaxed); }

  /// Since the sink was opened. From any thread.
  [[nodiscard]] std::uint64_t lines_dropped() const;
  /// Accepted and not yet written: at most twice `pending_bytes_max` and a line.
  [[nodiscard]] std::size_t pending_bytes() const;

 private:
  struct Waiter;

  Sink(SinkOptions options, std::unique_ptr<uv::FileWriter> file);

  // Of those who write lines; `mutex_` is held.
  [[nodiscard]] std::uint64_t unwritten_bytes() const noexcept { return accepted_bytes_ - settled_bytes_; }
  [[nodiscard]] bool has_room(std::string_view line, std::size_t bytes_max) const noexcept;
  void append(std::string_view line);
  void append_or_drop(std::string_view line);
  void wait_for_room(std::unique_lock<std::mutex>& lock, std::string_view line);
  void block_for_room(std::unique_lock<std::mutex>& lock, std::string_view line);
  void wake_writer(std::unique_lock<std::mutex>& lock);

  // Of the writing fiber.
  void run();
  [[nodiscard]] bool take_batch();
  [[nodiscard]] bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void write_batch();
  [[nodiscard]] Result<std::size_t> write_some(std::string_view bytes);
  void batch_written();
  void give_up(std::string_view rest, std::error_code error);
  void note_failure(std::error_code error, std::uint64_t lines) const;

  // Of the writing fiber; `mutex_` is held.
  [[nodiscard]] bool report_due() const noexcept { return lines_dropped_ != lines_reported_ && !failing_; }
  void append_report();
  void settle(std::size_t bytes);
  void admit_waiters();
  void wake_drainers();

  const SinkOptions options_;
  const Scheduler* const scheduler_;
  std::atomic<Level> level_;

  mutable std::mutex mutex_;  // for what follows
  std::string pending_;
  std::uint64_t accepted_bytes_ = 0;
  std::uint64_t settled_bytes_ = 0;  // written, or given up
  std::uint64_t lines_dropped_ = 0;
  std::uint64_t lines_reported_ = 0;  // of those dropped, by a line that got through
  bool failing_ = false;
  bool writer_idle_ = false;
  RemoteWaker idle_writer_;
  detail::ListLink<Waiter> waiters_;
  std::condition_variable admitted_;
  std::vector<RemoteWaker> drainers_;

  // Of the thread that opened the sink.
  std::unique_ptr<uv::FileWriter> file_;
  std::unique_ptr<uv::FileWriter> next_file_;
  std::string batch_;
  std::uint64_t reporting_ = 0;  // lines dropped, as the batch's last line says; 0 without such a line
  bool line_torn_ = false;       // the target's last line has no end
  Fiber writer_;
};

}  // namespace atlas::log
