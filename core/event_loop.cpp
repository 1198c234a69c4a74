#include <atlas/core/event_loop.hpp>

#include <atlas/core/uv/uv_driver.hpp>

#include <exception>
#include <utility>

namespace atlas {

void run_event_loop(UniqueFunction main, const SchedulerOptions& options) {
  uv::UvDriver driver;
  Scheduler scheduler(driver, options);
  std::exception_ptr exception;
  scheduler.inbox()->post([&] {
    scheduler.start("main", [&] {
      try {
        main();
      } catch (...) {
        exception = std::current_exception();
      }
      scheduler.stop();
    });
  });
  scheduler.run();
  if (exception) std::rethrow_exception(exception);
}

}  // namespace atlas
