#include "support/simulated_world.hpp"

#include "support/simulated_loop.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/core/resolver.hpp>
#include <atlas/core/unhurried.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace atlas::testing {
namespace {

// Far above what any test needs: more means that somebody is busy for ever.
constexpr std::uint64_t turns_max = 3'000'000;

/// What Server and others hold of a loop that they have started.
class SimulatedRunning final : public RunningLoop {
 public:
  explicit SimulatedRunning(std::shared_ptr<Event> ended) : ended_(std::move(ended)) {}
  ~SimulatedRunning() override {
    const detail::Unhurried unhurried;
    ATLAS_ASSERT(ended_->wait(), "an unhurried wait was cut short");
  }
  SimulatedRunning(const SimulatedRunning&) = delete;
  SimulatedRunning& operator=(const SimulatedRunning&) = delete;

 private:
  std::shared_ptr<Event> ended_;
};

/// The world's hosts, without a resolver of the system's.
class TableOfNames final : public NameService {
 public:
  explicit TableOfNames(std::map<std::string, std::vector<SocketAddress>, std::less<>> hosts)
      : hosts_(std::move(hosts)) {}
  void start(std::shared_ptr<NameLookup> lookup) override {
    const auto found = hosts_.find(lookup->query().host);
    if (found == hosts_.end())
      return lookup->complete(Unexpected(make_error_code(ResolveErrc::unknown_name)));
    lookup->complete(found->second);
  }

 private:
  std::map<std::string, std::vector<SocketAddress>, std::less<>> hosts_;
};

}  // namespace

SimulatedWorld::SimulatedWorld(const SimulationOptions& options)
    : options_(options), random_(options.seed), network_(*this, options.weather) {}

SimulatedWorld::~SimulatedWorld() = default;

void SimulatedWorld::run(UniqueFunction main) {
  std::exception_ptr exception;
  add_loop(
      [&] {
        try {
          main();
        } catch (...) {
          exception = std::current_exception();
        }
        main.reset();
      },
      {});
  run_out();
  if (auto why = std::exchange(stuck_, std::nullopt)) throw std::runtime_error(*why);
  if (exception) std::rethrow_exception(exception);
}

void SimulatedWorld::set_host(std::string host, std::vector<SocketAddress> addresses) {
  hosts_[std::move(host)] = std::move(addresses);
}

SimulatedLoop& SimulatedWorld::add_loop(UniqueFunction main, SchedulerOptions options) {
  auto& loop = loops_.emplace_back(*this, loops_started_++, std::move(main), options);
  loop.scheduler().set_resolver(
      std::make_unique<Resolver>(ResolverOptions{}, std::make_unique<TableOfNames>(hosts_)));
  return loop;
}

void SimulatedWorld::run_out() {
  for (std::uint64_t last = turns_ + turns_max; !loops_.empty();) {
    loops_.remove_if([](const SimulatedLoop& loop) { return loop.ended(); });
    if (auto* loop = choose_loop()) {
      turn(*loop);
    } else if (!loops_.empty() && !jump()) {
      give_up("nobody can ever run again");
    }
    if (turns_ < last) continue;
    give_up("the loops turn without end");
    last = turns_ + turns_max;
  }
}

SimulatedLoop* SimulatedWorld::choose_loop() {
  able_.clear();
  for (auto& loop : loops_) {
    if (loop.able()) able_.push_back(&loop);
  }
  return able_.empty() ? nullptr : able_[random_.below(able_.size())];
}

void SimulatedWorld::turn(SimulatedLoop& loop) {
  ++turns_;
  loop.turn();
  now_ += random_.between(Duration::zero(), options_.turn_time_max);
  note(loop.number());
  note(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
}

bool SimulatedWorld::jump() {
  auto earliest = TimePoint::max();
  for (auto& loop : loops_) earliest = std::min(earliest, loop.next_event().value_or(TimePoint::max()));
  if (earliest == TimePoint::max()) return false;
  now_ = std::max(now_, earliest);
  return true;
}

void SimulatedWorld::give_up(std::string_view why) {
  std::string text(why);
  for (auto& loop : loops_) text += fmt::format("; loop {}: {}", loop.number(), loop.describe());
  if (std::exchange(stuck_, text)) {
    fmt::print(stderr, "simulation: seed {}: {}, even though cancelled\n", options_.seed, text);
    std::abort();
  }
  for (auto& loop : loops_) loop.cancel_main();
}

// FNV-1a, a byte at a time being more than this needs.
void SimulatedWorld::note(std::uint64_t value) noexcept {
  fingerprint_ = (fingerprint_ ^ value) * 0x100000001b3;
}

std::unique_ptr<RunningLoop> SimulatedWorld::start_loop(UniqueFunction main,
                                                        const SchedulerOptions& options) {
  return std::make_unique<SimulatedRunning>(add_loop(std::move(main), options).ended_event());
}

Result<std::unique_ptr<ListeningSocket>> SimulatedWorld::listen(const SocketAddress& address,
                                                                const ListenOptions& options) {
  return network_.listen(address, options);
}

Result<StreamPtr> SimulatedWorld::connect(const SocketAddress& address, Deadline deadline,
                                          const ConnectOptions& options) {
  return network_.connect(address, deadline, options);
}

}  // namespace atlas::testing
