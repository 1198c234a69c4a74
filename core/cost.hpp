// What a piece of work has cost: the processor time that it used, and how long it was suspended, by reason. A
// CostMeter counts for a fiber; the server has one for each request where it is asked to. Knows nothing of
// requests.
//
//   if (const auto cost = this_fiber::cost()) log::info("{} until here", cost->processor);
#pragma once

#include <atlas/core/time.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace atlas {

namespace detail {
struct CostAccount;
struct FiberRecord;
}  // namespace detail

struct SuspendedTime {
  std::string_view reason;  ///< The wait's (WaitReason::text).
  Duration time{};
};

/// Waits count once they are over.
class Cost {
 public:
  /// Reasons that are told apart; the time of any more is counted as `other_reasons`.
  static constexpr std::size_t reasons_max = 12;
  static constexpr std::string_view other_reasons = "others";

  Duration processor{};  ///< Of the fiber, and of those that were started while it was counted.
  Duration ready{};      ///< The fiber waited for its turn only: it was woken, or had yielded.

  /// What the fiber waited for, in the order in which it first did.
  [[nodiscard]] std::span<const SuspendedTime> suspended() const noexcept {
    return {reasons_.data(), reason_count_};
  }
  /// `reason` is static text.
  void add_suspended(std::string_view reason, Duration time) noexcept;

 private:
  [[nodiscard]] SuspendedTime* find(std::string_view reason) noexcept;

  std::array<SuspendedTime, reasons_max + 1> reasons_;
  std::size_t reason_count_ = 0;
};

/// Counts for the fiber that calls `begin`, until it calls `end`, over and over without an allocation.
///
/// - Processor time is what the system says of the thread: being interrupted by other threads is none of it.
/// - Fibers that are started meanwhile, and those that they start, add their processor time until `end`.
///   How long they are suspended is not counted: when the fiber waits for one, that is a wait of its own.
/// - What is done elsewhere (`offload`, `run_on`, files) is a wait, too; its processor time is not counted.
/// - A meter that begins while another counts for the fiber counts in its place, and must end before.
///
/// Of one thread. A fiber that nobody counts for pays with a look at a pointer for each suspension.
class CostMeter {
 public:
  CostMeter() noexcept = default;
  /// Ends.
  ~CostMeter();
  CostMeter(const CostMeter&) = delete;
  CostMeter& operator=(const CostMeter&) = delete;

  /// Begins at zero.
  void begin();
  /// On the fiber that began.
  Cost end() noexcept;

  [[nodiscard]] bool counting() const noexcept { return fiber_ != nullptr; }
  /// While it counts. On its own thread.
  [[nodiscard]] Cost so_far() const noexcept;

 private:
  detail::CostAccount* account_ = nullptr;
  detail::CostAccount* outer_ = nullptr;  // which counted before for the fiber, and will again
  detail::FiberRecord* fiber_ = nullptr;
};

namespace this_fiber {

/// What the running fiber, or who started it, has cost since its meter began; nothing without one, or outside
/// of a fiber.
[[nodiscard]] std::optional<Cost> cost() noexcept;

}  // namespace this_fiber
}  // namespace atlas
