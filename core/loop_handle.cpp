#include <atlas/core/loop_handle.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/inbox.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/scheduler.hpp>

#include <exception>
#include <string>
#include <utility>

namespace atlas {
namespace {

using detail::FiberState;

void run_logged(UniqueFunction& body) {
  try {
    body();
  } catch (const std::exception& error) {
    log::error("fiber '{}', started by another thread, failed: {}", this_fiber::name(), error.what());
  } catch (...) {
    log::error("fiber '{}', started by another thread, failed: not a std::exception", this_fiber::name());
  }
}

void start_guest(std::string_view name, UniqueFunction& body) noexcept {
  FiberGroup* guests = Scheduler::current()->guests();
  if (guests == nullptr) return;
  try {
    guests->spawn(name, [body = std::move(body)]() mutable { run_logged(body); });
  } catch (const std::exception& error) {
    log::error("fiber '{}' could not be started for another thread: {}", name, error.what());
  }
}

}  // namespace

LoopHandle LoopHandle::current() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr, "this thread runs no loop");
  return LoopHandle(scheduler->inbox());
}

bool LoopHandle::spawn(std::string_view name, UniqueFunction body) const {
  return post([name = std::string(name), body = std::move(body)]() mutable { start_guest(name, body); });
}

bool LoopHandle::post(UniqueFunction task) const {
  return inbox_ != nullptr && inbox_->post(std::move(task));
}

FiberHandle FiberHandle::current() {
  FiberHandle handle;
  handle.loop_ = LoopHandle::current();
  handle.record_ = Scheduler::current()->running();
  ATLAS_ASSERT(handle.record_ != nullptr, "this needs a fiber");
  handle.incarnation_ = handle.record_->id;
  return handle;
}

void FiberHandle::cancel() const {
  loop_.post([record = record_, incarnation = incarnation_] {
    const bool alive = record->state == FiberState::ready || record->state == FiberState::parked;
    if (alive && record->id == incarnation) record->request_cancellation();
  });
}

}  // namespace atlas
