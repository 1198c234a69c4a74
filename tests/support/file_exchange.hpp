// Requests to an application that sends files: over a stream in memory, on a real loop, whose pool reads what
// the system does not have in memory.
#pragma once

#include "support/http_harness.hpp"

#include <atlas/asgi/http_connection.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::testing {

inline void write_text(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Without a date.
struct Exchange {
  std::string received;
  std::uint64_t failures = 0;  ///< Of the application.
};

/// Sends `requests` on one connection, then closes the client's direction; what came until the server closed,
/// too.
inline Exchange exchange(const asgi::Application& application, std::string_view requests,
                         const asgi::ServerOptions& options = plain_options()) {
  Exchange result;
  run_event_loop([&] {
    asgi::WorkerCounters counters;
    asgi::Admission admission({.connections_max = 8, .connections_per_address_max = 8});
    asgi::WorkerContext worker{
        .options = options, .application = application, .counters = counters, .admission = admission};
    asgi::HttpConnections connections(worker);
    auto [stream, peer] = make_memory_stream(*Scheduler::current());
    connections.admit({}, std::move(stream), {.id = 1, .server_host = "h"});
    peer.send(requests);
    peer.shutdown_write();
    const auto deadline = Deadline::after(std::chrono::seconds(20));
    while (connections.size() > 0 && !deadline.passed()) this_fiber::yield();
    for (int turns = 0; turns < 8; ++turns) this_fiber::yield();  // what was written arrives
    result.received = without_dates(peer.received());
    result.failures = counters.application_failures.get();
  });
  return result;
}

/// The same for one request.
inline std::string response_of(const asgi::Application& application, std::string_view request) {
  return exchange(application, request).received;
}

}  // namespace atlas::testing
