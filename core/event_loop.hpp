// A thread's event loop, from the outside: run a first fiber and everything it starts.
#pragma once

#include <atlas/core/scheduler.hpp>
#include <atlas/core/unique_function.hpp>

#include <exception>

namespace atlas {

/// Runs `main` as the first fiber of a new loop and scheduler on this thread; returns when it has ended,
/// and rethrows what it threw. Fibers that others have started here (LoopHandle) are cancelled
/// then, and waited for; those that it has left behind itself must have ended.
void run_event_loop(UniqueFunction main, const SchedulerOptions& options = {});

namespace detail {

/// The first half of it: posts a fiber to `scheduler` that runs `main`, leaves what that throws in
/// `exception` and stops the scheduler. Both must live until then.
void post_main(Scheduler& scheduler, UniqueFunction& main, std::exception_ptr& exception);

}  // namespace detail
}  // namespace atlas
