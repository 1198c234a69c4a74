#include <atlas/core/event_loop.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/uv/uv_driver.hpp>

#include <exception>
#include <utility>

namespace atlas {
namespace {

/// The fibers that other threads start on a loop. Takes no more from its end on.
struct Guests : FiberGroup {
  explicit Guests(Scheduler& host) : scheduler(host) { scheduler.set_guests(this); }
  ~Guests() { scheduler.set_guests(nullptr); }
  Guests(const Guests&) = delete;
  Guests& operator=(const Guests&) = delete;

  Scheduler& scheduler;
};

}  // namespace

void detail::post_main(Scheduler& scheduler, UniqueFunction& main, std::exception_ptr& exception) {
  scheduler.inbox()->post([&] {
    scheduler.start("main", [&] {
      try {
        const Guests guests(scheduler);
        main();
      } catch (...) {
        exception = std::current_exception();
      }
      scheduler.stop();
    });
  });
}

void run_event_loop(UniqueFunction main, const SchedulerOptions& options) {
  uv::UvDriver driver;
  Scheduler scheduler(driver, options);
  std::exception_ptr exception;
  detail::post_main(scheduler, main, exception);
  scheduler.run();
  if (exception) std::rethrow_exception(exception);
}

}  // namespace atlas
