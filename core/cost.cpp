#include <atlas/core/cost.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/cost_account.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/scheduler.hpp>

#include <utility>

namespace atlas {

using detail::CostAccount;

SuspendedTime* Cost::find(std::string_view reason) noexcept {
  for (auto& known : std::span(reasons_.data(), reason_count_)) {
    if (known.reason == reason) return &known;
  }
  return nullptr;
}

void Cost::add_suspended(std::string_view reason, Duration time) noexcept {
  SuspendedTime* entry = find(reason);
  if (entry == nullptr && reason_count_ >= reasons_max) {
    reason = other_reasons;
    entry = find(reason);
  }
  if (entry == nullptr) {
    entry = &reasons_[reason_count_++];
    entry->reason = reason;
  }
  entry->time += time;
}

CostMeter::~CostMeter() {
  if (counting()) end();
  if (account_ != nullptr) account_->release();
}

// Fibers of the last time that have not ended yet keep its account.
void CostMeter::begin() {
  ATLAS_ASSERT(!counting(), "a cost meter that counts was asked to begin");
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr && scheduler->on_fiber(), "a cost meter needs a fiber");
  if (account_ != nullptr && account_->users > 1) std::exchange(account_, nullptr)->release();
  if (account_ == nullptr) account_ = new CostAccount;
  fiber_ = scheduler->running();
  outer_ = fiber_->cost;
  if (outer_ != nullptr) outer_->ceases_to_run(*fiber_);
  account_->cost = {};
  account_->owner = fiber_;
  account_->begins_to_run(*fiber_);
  fiber_->cost = account_;
}

Cost CostMeter::end() noexcept {
  ATLAS_ASSERT(counting() && fiber_->cost == account_,
               "a cost meter ends where it began, after those within");
  ATLAS_ASSERT(fiber_->scheduler.running() == fiber_, "a cost meter ends on the fiber where it began");
  account_->ceases_to_run(*fiber_);
  account_->owner = nullptr;
  fiber_->cost = outer_;
  if (outer_ != nullptr) outer_->begins_to_run(*fiber_);
  fiber_ = nullptr;
  return account_->cost;
}

Cost CostMeter::so_far() const noexcept {
  ATLAS_ASSERT(counting(), "a cost meter that does not count was asked");
  return account_->so_far();
}

std::optional<Cost> this_fiber::cost() noexcept {
  const auto* scheduler = Scheduler::current();
  if (scheduler == nullptr || !scheduler->on_fiber()) return std::nullopt;
  const auto* account = scheduler->running()->cost;
  return account != nullptr ? std::optional(account->so_far()) : std::nullopt;
}

}  // namespace atlas
