#include <atlas/asgi/fiber_census.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/inbox.hpp>
#include <atlas/core/scheduler.hpp>

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace atlas::asgi {
namespace {

bool reads_before(const FiberRow& a, const FiberRow& b) {
  const auto rank = [](const FiberRow& row) {
    return std::pair(!row.fiber.detail.empty(), row.fiber.suspended_for.value_or(Duration::max()));
  };
  return rank(a) > rank(b);
}

ThreadFibers look_around(int worker, const FiberCensus::Membership::FillIn& fill_in) {
  auto& scheduler = *Scheduler::current();
  ThreadFibers thread{.worker = worker, .answered = true, .alive = scheduler.fibers_alive()};
  for (auto& facts : scheduler.fibers(FiberCensus::fibers_max)) thread.fibers.push_back({std::move(facts)});
  if (fill_in) fill_in(thread.fibers);
  thread.stack_marks = scheduler.stack_marks();
  return thread;
}

}  // namespace

/// A member, as others keep it.
struct FiberCensus::Asked {
  const int worker;
  const std::shared_ptr<Inbox> inbox;
  // Of the member's thread.
  Membership::FillIn fill_in;
  bool left = false;
};

/// The answers to one question. Who answers late finds it given up, and adds nothing.
class FiberCensus::Gathering {
 public:
  explicit Gathering(const std::vector<std::shared_ptr<Asked>>& members) : missing_(members.size()) {
    for (const auto& member : members) threads_.push_back({.worker = member->worker});
  }

  void wake_when_complete(RemoteWaker asker) { asker_ = std::move(asker); }

  void answer(std::size_t index, ThreadFibers thread) {
    const std::lock_guard lock(mutex_);
    if (given_up_) return;
    threads_[index] = std::move(thread);
    if (--missing_ > 0) return;
    complete_.notify_one();
    asker_.wake();
  }

  void block(Duration patience) {
    std::unique_lock lock(mutex_);
    complete_.wait_for(lock, patience, [this] { return missing_ == 0; });
  }

  [[nodiscard]] std::vector<ThreadFibers> finish() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    return std::move(threads_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable complete_;
  RemoteWaker asker_;
  std::vector<ThreadFibers> threads_;
  std::size_t missing_;
  bool given_up_ = false;
};

FiberCensus::Membership::Membership(FiberCensus& census, FillIn fill_in)
    : census_(census),
      asked_(std::make_shared<Asked>(Asked{.worker = Scheduler::current()->worker_index(),
                                           .inbox = Scheduler::current()->inbox(),
                                           .fill_in = std::move(fill_in)})) {
  const std::lock_guard lock(census_.mutex_);
  auto& members = census_.members_;
  const auto place = std::upper_bound(members.begin(), members.end(), asked_->worker,
                                      [](int worker, const auto& member) { return worker < member->worker; });
  members.insert(place, asked_);
}

FiberCensus::Membership::~Membership() {
  asked_->left = true;
  asked_->fill_in = {};
  const std::lock_guard lock(census_.mutex_);
  std::erase(census_.members_, asked_);
}

void FiberCensus::ask(const std::vector<std::shared_ptr<Asked>>& members,
                      const std::shared_ptr<Gathering>& gathering) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i]->inbox->post([gathering, i, member = members[i]] {
      if (!member->left) gathering->answer(i, look_around(member->worker, member->fill_in));
    });
  }
}

std::vector<ThreadFibers> FiberCensus::take(Duration patience) const {
  const auto members = [this] {
    const std::lock_guard lock(mutex_);
    return members_;
  }();
  const auto gathering = std::make_shared<Gathering>(members);
  if (this_fiber::exists()) {
    Wait wait({"fiber census", this});
    gathering->wake_when_complete(wait.remote_waker());
    ask(members, gathering);
    if (!members.empty()) static_cast<void>(wait.park(Deadline::after(patience)));
  } else {
    ask(members, gathering);
    gathering->block(patience);
  }
  auto threads = gathering->finish();
  for (auto& thread : threads) std::stable_sort(thread.fibers.begin(), thread.fibers.end(), reads_before);
  return threads;
}

}  // namespace atlas::asgi
