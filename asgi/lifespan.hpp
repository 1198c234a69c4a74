// Runs an application's lifespan scope: start-up before the first request, shutdown after the last.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/core/fiber.hpp>

#include <optional>
#include <string>

namespace atlas::asgi {

/// What an application is called with for a lifespan: of a worker, or of the process (-1). `state` is what
/// the process's has set.
[[nodiscard]] Scope lifespan_scope(int worker, const State& state = {});

/// One lifespan. Of one thread.
class Lifespan final : private Receive, private Send {
 public:
  /// `application` must outlive it. `scope` is of type lifespan, and complete.
  Lifespan(const Application& application, Scope scope);
  /// Suspends until the application has returned, which it is made to if it has not.
  ~Lifespan() override;

  /// Suspends until the application has started up: an error text when it failed. An application that does
  /// not know lifespan has started up.
  [[nodiscard]] std::optional<std::string> start_up();
  /// Suspends until it has shut down: an error text when it failed.
  [[nodiscard]] std::optional<std::string> shut_down();
  /// What start-up has set.
  [[nodiscard]] const State& state() const noexcept { return scope_.state; }

 private:
  enum class Phase : std::uint8_t { starting, started, stopping, stopped };

  void run();
  void returned(std::optional<std::string> error);
  void advance(Phase phase, std::optional<std::string> error);
  std::optional<std::string> wait_for(Phase phase);

  ReceivedMessage next() override;
  void handle(MessageRef message) override;

  const Application& application_;
  Scope scope_;
  Phase phase_ = Phase::starting;
  bool startup_received_ = false;
  bool shutdown_received_ = false;
  bool returned_ = false;
  std::optional<std::string> error_;
  Waker server_;             // waits in start_up or shut_down
  Waker application_waker_;  // waits in receive
  Fiber fiber_;
};

}  // namespace atlas::asgi
