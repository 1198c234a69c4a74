#include <atlas/core/world.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/native_socket.hpp>

#include <thread>
#include <utility>

namespace atlas {
namespace {

class LoopThread final : public RunningLoop {
 public:
  LoopThread(UniqueFunction main, const SchedulerOptions& options)
      : thread_([main = std::move(main), options]() mutable { run_event_loop(std::move(main), options); }) {}
  ~LoopThread() override { thread_.join(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

 private:
  std::thread thread_;
};

class SystemWorld final : public World {
 public:
  std::unique_ptr<RunningLoop> start_loop(UniqueFunction main, const SchedulerOptions& options) override {
    return std::make_unique<LoopThread>(std::move(main), options);
  }
  Result<std::unique_ptr<ListeningSocket>> listen(const SocketAddress& address,
                                                  const ListenOptions& options) override {
    return detail::listen_on_system_socket(address, options);
  }
  Result<StreamPtr> connect(const SocketAddress& address, Deadline deadline,
                            const ConnectOptions& options) override {
    return detail::connect_system_socket(address, deadline, options);
  }
};

}  // namespace

World& system_world() noexcept {
  static SystemWorld world;
  return world;
}

World& Driver::world() noexcept { return system_world(); }

World& this_world() noexcept {
  auto* scheduler = Scheduler::current();
  return scheduler != nullptr ? scheduler->driver().world() : system_world();
}

}  // namespace atlas
