// A loop and its fibers as other threads see them: handles that may be copied, kept and used anywhere, and
// that know when what they name has ended.
#pragma once

#include <atlas/core/unique_function.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace atlas {

class Inbox;

namespace detail {
struct FiberRecord;
}

/// The loop of a thread. Does not keep it running.
class LoopHandle {
 public:
  /// Of no loop: refuses.
  LoopHandle() noexcept = default;
  /// Of the calling thread, which must run one.
  [[nodiscard]] static LoopHandle current();

  /// Starts a fiber there. What `body` throws is logged. When the loop ends, the fiber is cancelled and
  /// waited for. False, and `body` destroyed unrun, when the loop takes no more; it may also be destroyed
  /// unrun, on the loop's thread, when the loop ends before it has come round.
  bool spawn(std::string_view name, UniqueFunction body) const;
  /// Runs `task` on the loop's own stack, where it must not suspend nor throw. False as above.
  bool post(UniqueFunction task) const;

  friend bool operator==(const LoopHandle&, const LoopHandle&) noexcept = default;

 private:
  explicit LoopHandle(std::shared_ptr<Inbox> inbox) noexcept : inbox_(std::move(inbox)) {}

  std::shared_ptr<Inbox> inbox_;
};

/// A fiber of any loop. Does not keep it alive.
class FiberHandle {
 public:
  /// Of no fiber.
  FiberHandle() noexcept = default;
  /// Of the running fiber.
  [[nodiscard]] static FiberHandle current();

  /// Asks the fiber to end, as Fiber::cancel does, when its loop comes round. Nothing if it has ended then.
  void cancel() const;

 private:
  LoopHandle loop_;
  detail::FiberRecord* record_ = nullptr;  // of the loop's thread, and never freed while that runs
  std::uint64_t incarnation_ = 0;
};

}  // namespace atlas
