// What a fiber is doing, as plain values: for tables and reports. Knows how to look, not how to show.
#pragma once

#include <atlas/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atlas {

enum class FiberActivity : std::uint8_t {
  ready,      ///< In the run queue.
  running,    ///< On the thread, right now.
  suspended,  ///< Waits for something.
  ended,      ///< Has returned; who holds its handle has not joined it yet.
};

/// "ready", "running", "suspended" or "ended".
[[nodiscard]] std::string_view to_string(FiberActivity activity) noexcept;

/// One fiber at one moment. Times are exact to one turn of its loop.
struct FiberFacts {
  std::uint64_t id = 0;  ///< Unique among its scheduler's fibers; 1 is the first.
  std::string name;
  FiberActivity activity = FiberActivity::ready;
  std::string_view waits_for;             ///< The reason of its wait, static text; empty unless suspended.
  const void* waits_on = nullptr;         ///< The object that the reason names; for the eyes of a debugger.
  Duration age{};                         ///< Since it was started.
  std::optional<Duration> suspended_for;  ///< None unless suspended.
  std::optional<Duration>
      deadline_left;                 ///< Of its wait, or its DeadlineScope; none: never. Below 0: passed.
  std::string detail;                ///< this_fiber::set_detail: the request line.
  std::size_t stack_bytes_used = 0;  ///< At this moment.
  std::size_t stack_bytes = 0;       ///< What it may use.
};

/// How deep the fibers of one name have used their stacks since their scheduler began. Of a part of them: a
/// few hundred stacks are looked at every few seconds (SchedulerOptions::trim_interval), and whenever this is
/// asked for. Counted in pages, and never below the 16 KiB that a pooled stack keeps.
struct StackMark {
  std::string name;  ///< "(others)" where there are too many names.
  std::size_t bytes_max = 0;
  std::uint64_t samples = 0;
};

}  // namespace atlas
