#include <atlas/asgi/toolkit/background.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::string_view background_state = "atlas.background";

using GroupPtr = std::shared_ptr<FiberGroup>;

void run_and_log(UniqueFunction& work) noexcept {
  try {
    work();
  } catch (const std::exception& error) {
    log::error("work in the background failed: {}", error.what());
  } catch (...) {
    log::error("work in the background failed with an exception of an unknown type");
  }
}

}  // namespace

void start_background(const Scope& scope) {
  scope.state.set(background_state, std::make_shared<FiberGroup>());
}

void end_background(const Scope& scope, Duration patience) {
  const auto* group = scope.state.find<GroupPtr>(background_state);
  if (group == nullptr || (*group)->join(Deadline::after(patience))) return;
  log::warn("cancelled {} works in the background that did not end in time", (*group)->size());
  (*group)->cancel();
  static_cast<void>((*group)->join());
}

void run_background(const Scope& scope, std::vector<UniqueFunction> works) {
  const auto* group = scope.state.find<GroupPtr>(background_state);
  for (auto& work : works) {
    if (group == nullptr) {
      run_and_log(work);
    } else {
      (*group)->spawn_apart("background", [moved = std::move(work)]() mutable { run_and_log(moved); });
    }
  }
}

}  // namespace atlas::asgi
