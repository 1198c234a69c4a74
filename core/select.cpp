#include <atlas/core/select.hpp>

#include <algorithm>
#include <functional>

namespace atlas::detail {
namespace {

/// Holds the guards of all cases: those of the same channel have one in common.
class AllLocked {
 public:
  explicit AllLocked(std::span<SelectCase* const> lock_order) : cases_(lock_order) {
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      if (is_first_of_guard(i)) cases_[i]->lock();
    }
  }
  ~AllLocked() {
    for (std::size_t i = cases_.size(); i-- > 0;) {
      if (is_first_of_guard(i)) cases_[i]->unlock();
    }
  }
  AllLocked(const AllLocked&) = delete;
  AllLocked& operator=(const AllLocked&) = delete;

 private:
  [[nodiscard]] bool is_first_of_guard(std::size_t i) const noexcept {
    return i == 0 || cases_[i]->guard() != cases_[i - 1]->guard();
  }

  std::span<SelectCase* const> cases_;
};

bool guard_before(const SelectCase* a, const SelectCase* b) noexcept {
  return std::less<>()(a->guard(), b->guard());
}

/// The case that could go on at once.
std::optional<std::size_t> attempt_one(std::span<SelectCase* const> cases) noexcept {
  const std::size_t turn = cases.front()->next_turn();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::size_t index = (turn + i) % cases.size();
    if (cases[index]->attempt()) return index;
  }
  return std::nullopt;
}

/// The case that was served while the fiber waited.
std::optional<std::size_t> dequeue_all(std::span<SelectCase* const> cases) noexcept {
  std::optional<std::size_t> served;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i]->dequeue()) served = i;
  }
  return served;
}

}  // namespace

Result<std::size_t> serve_one(std::span<SelectCase* const> cases, std::span<SelectCase*> lock_order,
                              Patience patience, Deadline deadline) {
  std::sort(lock_order.begin(), lock_order.end(), guard_before);
  std::optional<AllLocked> locked(lock_order);
  if (const auto served = attempt_one(cases)) return *served;
  if (patience == Patience::none) return cases.size();

  Wait wait({"select", cases.front()->guard()});
  Selection selection;
  for (auto* one : cases) one->enqueue(wait, selection);
  locked.reset();
  const auto outcome = wait.park(deadline);
  locked.emplace(lock_order);
  if (const auto served = dequeue_all(cases)) return *served;
  ATLAS_ASSERT(!outcome.woken(), "a fiber was woken without what it waits for");
  return Unexpected(outcome.error());
}

}  // namespace atlas::detail
