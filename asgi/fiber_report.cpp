#include <atlas/asgi/fiber_report.hpp>

#include <atlas/core/log.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace atlas::asgi {
namespace {

using namespace std::chrono;

constexpr std::string_view columns = "{:<8} {:<9} {:>8} {:>8} {:>8} {:>8}  {:<16} {:<16} {}";
constexpr std::size_t request_size_max = 200;
constexpr std::size_t cell_size_max = 31;

std::string duration_or_dash(const std::optional<Duration>& duration) {
  return duration ? rough_duration(*duration) : "-";
}

std::string or_dash(std::string_view text) { return text.empty() ? "-" : printable(text, cell_size_max); }

std::string bytes_text(std::size_t bytes) {
  return fmt::format("{:.1f}k", static_cast<double>(bytes) / 1024);
}

std::string request_text(const FiberRow& row) {
  if (row.fiber.detail.empty()) return "-";
  const auto request = printable(row.fiber.detail, request_size_max);
  return row.client.empty() ? request : fmt::format("{} from {}", request, row.client);
}

std::string heading() {
  return fmt::format(columns, "thread", "state", "since", "age", "due in", "stack", "fiber", "waits for",
                     "request");
}

std::string fiber_line(int worker, const FiberRow& row) {
  const auto& fiber = row.fiber;
  return fmt::format(columns, thread_name(worker), to_string(fiber.activity),
                     duration_or_dash(fiber.suspended_for), rough_duration(fiber.age),
                     duration_or_dash(fiber.deadline_left), bytes_text(fiber.stack_bytes_used),
                     or_dash(fiber.name), or_dash(fiber.waits_for), request_text(row));
}

std::string mark_line(int worker, const StackMark& mark) {
  return fmt::format("{:<8} stacks of '{}': up to {} used, in {} samples", thread_name(worker),
                     printable(mark.name, cell_size_max), bytes_text(mark.bytes_max), mark.samples);
}

std::size_t count_alive(const std::vector<ThreadFibers>& threads) {
  std::size_t alive = 0;
  for (const auto& thread : threads) alive += thread.alive;
  return alive;
}

/// Takes lines up to a bound, and counts.
class Lines {
 public:
  explicit Lines(std::size_t count_max) : count_max_(count_max) {}

  void add_fibers(const ThreadFibers& thread) {
    if (!thread.answered) return add(fmt::format("{:<8} did not answer", thread_name(thread.worker)));
    const auto shown = std::min(thread.fibers.size(), room());
    for (std::size_t i = 0; i < shown; ++i) lines_.push_back(fiber_line(thread.worker, thread.fibers[i]));
    left_out_ += std::max(thread.alive, thread.fibers.size()) - shown;
  }
  void add_marks(const ThreadFibers& thread) {
    for (const auto& mark : thread.stack_marks) add(mark_line(thread.worker, mark));
  }
  void add(std::string line) {
    if (room() > 0) {
      lines_.push_back(std::move(line));
    } else {
      ++left_out_;
    }
  }
  [[nodiscard]] std::vector<std::string> take() {
    if (left_out_ > 0) lines_.push_back(fmt::format("and {} more", left_out_));
    return std::move(lines_);
  }

 private:
  [[nodiscard]] std::size_t room() const { return count_max_ - std::min(count_max_, lines_.size()); }

  const std::size_t count_max_;
  std::vector<std::string> lines_;
  std::size_t left_out_ = 0;
};

}  // namespace

std::vector<std::string> format_fiber_report(const std::vector<ThreadFibers>& threads,
                                             std::size_t lines_max) {
  Lines lines(lines_max);
  lines.add(fmt::format("{} fibers on {} threads", count_alive(threads), threads.size()));
  lines.add(heading());
  for (const auto& thread : threads) lines.add_fibers(thread);
  for (const auto& thread : threads) lines.add_marks(thread);
  return lines.take();
}

void log_fiber_report(const std::vector<ThreadFibers>& threads) {
  for (const auto& line : format_fiber_report(threads)) log::info("{}", line);
  log::info("{}", offload_text(offload_status()));
}

std::string offload_text(const OffloadStatus& status) {
  return fmt::format("offload: {} of {} threads busy, {} calls queued, {} waiting for room", status.busy,
                     status.threads, status.queued, status.waiting_for_room);
}

std::string rough_duration(Duration duration) {
  if (duration < Duration::zero()) return fmt::format("-{}", rough_duration(-duration));
  const auto seconds = floor<std::chrono::seconds>(duration).count();
  if (duration < 1s) return fmt::format("{}ms", floor<milliseconds>(duration).count());
  if (duration < 1min)
    return fmt::format("{}.{}s", seconds, floor<milliseconds>(duration).count() / 100 % 10);
  if (duration < 1h) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (duration < 24h) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86400, seconds / 3600 % 24);
}

std::string thread_name(int worker) { return worker < 0 ? "control" : fmt::format("w{}", worker); }

std::string printable(std::string_view text, std::size_t size_max) {
  std::string result;
  for (const char c : text.substr(0, size_max)) {
    if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > size_max) result += fmt::format("... ({} bytes more)", text.size() - size_max);
  return result;
}

}  // namespace atlas::asgi
