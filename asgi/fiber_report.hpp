// A census of fibers as lines to read, for the log.
#pragma once

#include <atlas/asgi/fiber_census.hpp>
#include <atlas/core/offload.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// Of one report; what is more is counted in its last line.
inline constexpr std::size_t report_lines_max = 200;

/// A line for each fiber, in columns under a heading, then the marks of stacks; lines without line feeds.
/// What a client sent is escaped.
[[nodiscard]] std::vector<std::string> format_fiber_report(const std::vector<ThreadFibers>& threads,
                                                           std::size_t lines_max = report_lines_max);

/// Suspends while the log is full: the same at level info, and how busy the threads of `offload` are.
void log_fiber_report(const std::vector<ThreadFibers>& threads);

/// "offload: 2 of 4 threads busy, 3 calls queued, 0 waiting for room".
[[nodiscard]] std::string offload_text(const OffloadStatus& status);

/// About how long: "12ms", "3.2s", "4m10s", "3h05m", "2d04h"; with a minus when below zero.
[[nodiscard]] std::string rough_duration(Duration duration);

/// "control" or "w0".
[[nodiscard]] std::string thread_name(int worker);

/// Bytes that are not printable ASCII become \xhh, and what is longer than `size_max` is cut, and says so.
[[nodiscard]] std::string printable(std::string_view text, std::size_t size_max);

}  // namespace atlas::asgi
