#include <atlas/asgi/stall_report.hpp>

#include <atlas/asgi/fiber_report.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/scheduler.hpp>

#include <fmt/format.h>

#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::size_t frame_size_max = 160;
constexpr std::size_t detail_size_max = 512;

std::string culprit(const Stall& stall) {
  if (stall.stack.empty()) return "and its thread does not say by whom";
  if (stall.fiber.empty()) return "by the loop's own code";
  auto fiber = fmt::format("by fiber '{}'", stall.fiber);
  if (stall.detail.empty()) return fiber;
  return fmt::format("{} serving '{}'", fiber, printable(stall.detail, detail_size_max));
}

std::string place(const Stall& stall) {
  std::string text;
  for (const auto& frame : stall.stack) {
    text += fmt::format("{}{}", text.empty() ? ", at " : " < ", printable(frame, frame_size_max));
  }
  return text;
}

}  // namespace

std::string format_stall(const Stall& stall) {
  return fmt::format("worker {} has been kept for {} {}{}", stall.worker, rough_duration(stall.lasted),
                     culprit(stall), place(stall));
}

void StallReporter::report(const Stall& stall, TimePoint now) {
  count_.increment();
  if (last_ && now - *last_ < interval) {
    ++unsaid_;
    return;
  }
  last_ = now;
  const auto unsaid = std::exchange(unsaid_, 0);
  log::warn("{}{}", format_stall(stall),
            unsaid > 0 ? fmt::format(" (and {} more stalls since the last report)", unsaid) : "");
}

void report_stalls(StallWatch& watch, Counter& count) {
  StallReporter reporter(count);
  while (const auto stall = watch.wait()) reporter.report(*stall, Scheduler::current()->driver().now());
}

}  // namespace atlas::asgi
