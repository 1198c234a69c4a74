// Logging, as code that writes lines sees it: `log::info("{} routes", routes.size())`. A line is formatted on
// the spot and handed to the thread's sink (log_sink.hpp); where the line ends up is not the caller's
// concern.
#pragma once

#include <fmt/core.h>

#include <cstdint>

namespace atlas::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };

enum class Format : std::uint8_t {
  text,  ///< `2026-11-23T13:39:01.123Z INFO  [w0 client] message`
  json,  ///< `{"time":"…","level":"info","worker":0,"fiber":"client","message":"…"}`
};

/// Whether the calling thread's sink takes lines of `level`. Without a sink: info and above.
[[nodiscard]] bool enabled(Level level) noexcept;

/// Suspends while the sink cannot keep up (Sink::write_line has the details). What the functions below do,
/// once `enabled` has said yes. Of a thread without a sink, the line goes straight to stderr.
void write(Level level, fmt::string_view format, fmt::format_args arguments);

// One line each. The format is checked when it is compiled; arguments are formatted only when the level
// is enabled. Control characters in the outcome are escaped: what a client sent cannot forge a line.

template <class... Args>
void trace(fmt::format_string<Args...> format, Args&&... arguments) {
  if (enabled(Level::trace)) write(Level::trace, format, fmt::make_format_args(arguments...));
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... arguments) {
  if (enabled(Level::debug)) write(Level::debug, format, fmt::make_format_args(arguments...));
}

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... arguments) {
  if (enabled(Level::info)) write(Level::info, format, fmt::make_format_args(arguments...));
}

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... arguments) {
  if (enabled(Level::warn)) write(Level::warn, format, fmt::make_format_args(arguments...));
}

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... arguments) {
  if (enabled(Level::error)) write(Level::error, format, fmt::make_format_args(arguments...));
}

}  // namespace atlas::log
