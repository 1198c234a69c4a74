// A world in one thread: loops whose time stands still while anybody can run, and jumps to the next timer or
// arrival when nobody can. What a seed leaves open (who runs next, how long a packet takes, what is torn to
// pieces, what breaks) is drawn from it, so that a run can be had again.
//
//   SimulatedWorld world({.seed = 7});
//   world.run([] {
//     asgi::Server server(app, {.port = 80});     // its loops are the world's, too
//     server.start();
//     auto client = connect(server.addresses().front()).value();
//     …
//   });
//
// Files, processes and `offload` are the system's, which knows nothing of simulated time: they are not to be
// used inside.
#pragma once

#include "support/random.hpp"
#include "support/simulated_network.hpp"

#include <atlas/core/event.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/world.hpp>

#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::testing {

struct SimulationOptions {
  std::uint64_t seed = 1;
  NetworkWeather weather = {};
  /// A turn of a loop takes up to this long.
  Duration turn_time_max = std::chrono::microseconds(20);
};

class SimulatedLoop;

class SimulatedWorld final : public World {
 public:
  explicit SimulatedWorld(const SimulationOptions& options = {});
  ~SimulatedWorld() override;

  /// Runs `main` as the first fiber of a first loop, until it and every loop that was started have ended;
  /// rethrows what it threw. When nobody can run any more, or the loops turn without end, the first fibers of
  /// all loops are cancelled, and std::runtime_error names who waited for what.
  void run(UniqueFunction main);

  /// What `host` is found as by the loops that are started from now on.
  void set_host(std::string host, std::vector<SocketAddress> addresses);

  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  [[nodiscard]] Random& random() noexcept { return random_; }
  [[nodiscard]] SimulatedNetwork& network() noexcept { return network_; }
  [[nodiscard]] std::uint64_t turns() const noexcept { return turns_; }
  /// Of all that has happened, in its order: the same for the same seed.
  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }

  std::unique_ptr<RunningLoop> start_loop(UniqueFunction main, const SchedulerOptions& options) override;
  Result<std::unique_ptr<ListeningSocket>> listen(const SocketAddress& address,
                                                  const ListenOptions& options) override;
  Result<StreamPtr> connect(const SocketAddress& address, Deadline deadline,
                            const ConnectOptions& options) override;

 private:
  friend class SimulatedLoop;

  SimulatedLoop& add_loop(UniqueFunction main, SchedulerOptions options);
  [[nodiscard]] SimulatedLoop* choose_loop();
  void turn(SimulatedLoop& loop);
  bool jump();
  void run_out();
  void give_up(std::string_view why);
  void note(std::uint64_t value) noexcept;

  SimulationOptions options_;
  Random random_;
  SimulatedNetwork network_;
  TimePoint now_{std::chrono::hours(1)};
  std::list<SimulatedLoop> loops_;
  std::vector<SimulatedLoop*> able_;  // to run; kept for its memory
  std::map<std::string, std::vector<SocketAddress>, std::less<>> hosts_;
  std::optional<std::string> stuck_;
  std::size_t loops_started_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace atlas::testing
