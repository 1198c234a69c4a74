#include <atlas/asgi/lifespan.hpp>

#include <fmt/format.h>

#include <utility>

namespace atlas::asgi {

Scope lifespan_scope(int worker, const State& state) {
  Scope scope{.type = ScopeType::lifespan, .asgi = {.spec_version = "2.0"}, .state = state};
  scope.extensions.atlas.worker = worker;
  return scope;
}

Lifespan::Lifespan(const Application& application, Scope scope)
    : application_(application), scope_(std::move(scope)) {}

Lifespan::~Lifespan() = default;

std::optional<std::string> Lifespan::start_up() {
  fiber_ = spawn("lifespan", [this] { run(); });
  return wait_for(Phase::started);
}

std::optional<std::string> Lifespan::shut_down() {
  if (returned_) return std::exchange(error_, std::nullopt);
  advance(Phase::stopping, std::nullopt);
  application_waker_.wake();
  return wait_for(Phase::stopped);
}

std::optional<std::string> Lifespan::wait_for(Phase phase) {
  while (phase_ < phase && !returned_) {
    Wait wait({"lifespan", this});
    server_ = wait.waker();
    if (const auto outcome = wait.park(); !outcome.woken()) return outcome.error().message();
  }
  return std::exchange(error_, std::nullopt);
}

void Lifespan::run() {
  try {
    application_(scope_, *this, *this);
    const bool unfinished = phase_ == Phase::starting && startup_received_;
    returned(unfinished ? std::optional<std::string>("it returned without 'lifespan.startup.complete'")
                        : std::nullopt);
  } catch (const UnsupportedScope&) {
    const bool unsupported = phase_ == Phase::starting;
    returned(unsupported ? std::nullopt
                         : std::optional<std::string>("it threw UnsupportedScope after start-up"));
  } catch (const std::exception& error) {
    returned(error.what());
  } catch (...) {
    returned("it threw something that is not a std::exception");
  }
}

void Lifespan::returned(std::optional<std::string> error) {
  returned_ = true;
  if (!error_) error_ = std::move(error);
  server_.wake();
}

void Lifespan::advance(Phase phase, std::optional<std::string> error) {
  phase_ = phase;
  if (error) error_ = std::move(error);
}

ReceivedMessage Lifespan::next() {
  if (!std::exchange(startup_received_, true)) return LifespanStartup{};
  if (phase_ == Phase::starting) {
    throw ContractError("receive was called again before 'lifespan.startup.complete' was sent");
  }
  while (phase_ < Phase::stopping) {
    Wait wait({"lifespan.shutdown", this});
    application_waker_ = wait.waker();
    if (const auto outcome = wait.park(); !outcome.woken()) throw std::system_error(outcome.error());
  }
  if (phase_ == Phase::stopped) throw ContractError("receive was called after lifespan's shutdown");
  if (std::exchange(shutdown_received_, true)) {
    throw ContractError("receive was called again before 'lifespan.shutdown.complete' was sent");
  }
  return LifespanShutdown{};
}

void Lifespan::handle(MessageRef message) {
  const auto in = [&](Phase phase) {
    if (phase_ != phase) throw ContractError(fmt::format("'{}' was sent out of order", message.type()));
  };
  if (message.get_if<LifespanStartupComplete>() != nullptr) {
    in(Phase::starting);
    advance(Phase::started, std::nullopt);
  } else if (const auto* startup_failed = message.get_if<LifespanStartupFailed>()) {
    in(Phase::starting);
    advance(Phase::stopped, "lifespan.startup.failed: " + startup_failed->message);
  } else if (message.get_if<LifespanShutdownComplete>() != nullptr) {
    in(Phase::stopping);
    advance(Phase::stopped, std::nullopt);
  } else if (const auto* shutdown_failed = message.get_if<LifespanShutdownFailed>()) {
    in(Phase::stopping);
    advance(Phase::stopped, "lifespan.shutdown.failed: " + shutdown_failed->message);
  } else if (message.type().starts_with("http.")) {
    // An application that answers every scope as if it were a request does not know lifespan.
    throw UnsupportedScope(scope_);
  } else {
    throw ContractError(fmt::format("'{}' is not a message of the lifespan scope", message.type()));
  }
  server_.wake();
}

}  // namespace atlas::asgi
