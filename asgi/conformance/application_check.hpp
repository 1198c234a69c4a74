// Checks any application against the contract at the seam, message by message, as a strict server and hard
// clients would treat it. For tests (needs no framework) and for the `atlas-conformance` command.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/conformance/report.hpp>

#include <string>
#include <utility>
#include <vector>

namespace atlas::asgi {

/// What the application is asked. It should be something that it may be asked many times.
struct ConformanceRequest {
  std::string name = {};  ///< In the report; empty: method and target.
  std::string method = "GET";
  std::string target = "/";  ///< Path and query, percent-encoded.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

/// Requests that any application must bear: usual ones to "/", and odd ones.
[[nodiscard]] std::vector<ConformanceRequest> usual_requests();

/// Runs the application on a loop of its own in virtual time, on the calling thread: its lifespan, then each
/// request in many ways. Files and `offload` are real. An application that never suspends and never returns
/// keeps this from returning.
[[nodiscard]] ConformanceReport check_application(
    const Application& application, const std::vector<ConformanceRequest>& requests = usual_requests());

}  // namespace atlas::asgi
