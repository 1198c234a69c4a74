// Work that goes on when its response is complete: on fibers of the worker that end before its application
// shuts down.
#pragma once

#include <atlas/asgi/scope.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/unique_function.hpp>

#include <chrono>
#include <vector>

namespace atlas::asgi {

/// Starts each on a fiber of its own, which inherits nothing of the request's. What one throws is logged.
/// Where the application's lifespan has not called start_background, suspends until they have ended.
void run_background(const Scope& scope, std::vector<UniqueFunction> works);

/// On lifespan's start-up of a worker.
void start_background(const Scope& scope);

inline constexpr Duration background_patience_default = std::chrono::seconds(30);

/// On its shutdown: suspends until all works have ended. Those that take longer than `patience` are
/// cancelled, and the log says how many.
void end_background(const Scope& scope, Duration patience = background_patience_default);

}  // namespace atlas::asgi
