// A program to look at with a debugger: fibers suspended in functions with known names, then a place for a
// breakpoint, or (with any argument) an abort.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>

#include <cstdlib>

namespace {

using namespace atlas;

volatile int calls_returned =
    0;  // written behind each call, so that none is a tail call and every frame stays

[[gnu::noinline]] void wait_for_an_answer() {
  Wait wait({"an answer"});
  static_cast<void>(wait.park());
  calls_returned = calls_returned + 1;
}

[[gnu::noinline]] void serve_somebody() {
  this_fiber::set_detail("GET /somebody HTTP/1.1");
  wait_for_an_answer();
  calls_returned = calls_returned + 1;
}

}  // namespace

/// Where the debugger stops.
extern "C" [[gnu::noinline]] void look_now(bool abort) {
  if (abort) std::abort();
  calls_returned = calls_returned + 1;
}

int main(int argc, char**) {
  run_event_loop([argc] {
    Scheduler::current()->set_worker_index(3);
    FiberGroup group;
    for (int i = 0; i < 5; ++i) group.spawn("client", serve_somebody);
    this_fiber::yield();
    look_now(argc > 1);
  });
}
