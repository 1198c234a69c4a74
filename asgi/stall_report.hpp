// What a server says of its loops' stalls: a line for each, but no flood of them.
#pragma once

#include <atlas/asgi/server_status.hpp>
#include <atlas/core/stall_watch.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace atlas::asgi {

/// One line: how long, who, busy with what, and where, from the innermost function outwards.
[[nodiscard]] std::string format_stall(const Stall& stall);

/// Counts stalls, and logs them at level warning: one within each `interval`, with the number of those in
/// between.
class StallReporter {
 public:
  static constexpr Duration interval = std::chrono::seconds(1);

  explicit StallReporter(Counter& count) : count_(count) {}

  /// Suspends while the log is full.
  void report(const Stall& stall, TimePoint now);

 private:
  Counter& count_;
  std::optional<TimePoint> last_;
  std::uint64_t unsaid_ = 0;
};

/// Suspends: reports what `watch` finds until the fiber is cancelled.
void report_stalls(StallWatch& watch, Counter& count);

}  // namespace atlas::asgi
