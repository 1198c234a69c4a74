#include <atlas/core/log.hpp>

#include <atlas/core/fiber_record.hpp>
#include <atlas/core/log_fields.hpp>
#include <atlas/core/log_format.hpp>
#include <atlas/core/log_sink.hpp>
#include <atlas/core/scheduler.hpp>

#include <unistd.h>

namespace atlas::log {
namespace {

constexpr auto level_without_sink = Level::info;

Sink* current_sink() noexcept {
  const auto* scheduler = Scheduler::current();
  return scheduler != nullptr ? scheduler->log_sink() : nullptr;
}

Line line_from_here(Level level, std::span<const Field> fields, std::string_view message) {
  Line line{.time = std::chrono::system_clock::now(), .level = level, .fields = fields, .message = message};
  if (auto* scheduler = Scheduler::current()) {
    line.worker = scheduler->worker_index();
    if (const auto* fiber = scheduler->running()) line.fiber = fiber->name();
  }
  return line;
}

void write_to_stderr(std::string_view line) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

bool enabled(Level level) noexcept {
  const auto* sink = current_sink();
  return level >= (sink != nullptr ? sink->level() : level_without_sink);
}

// Buffers on the stack, not of the thread: a formatter of the user's may log, too, and write_line suspends.
void write(Level level, fmt::string_view format, fmt::format_args arguments) {
  fmt::memory_buffer message;
  fmt::vformat_to(fmt::appender(message), format, arguments);
  Sink* sink = current_sink();
  const FieldsHere fields;
  LineBuffer line;
  format_line(line, sink != nullptr ? sink->format() : Format::text,
              line_from_here(level, fields.all(), {message.data(), message.size()}));
  const std::string_view bytes(line.data(), line.size());
  sink != nullptr ? sink->write_line(bytes) : write_to_stderr(bytes);
}

}  // namespace atlas::log
