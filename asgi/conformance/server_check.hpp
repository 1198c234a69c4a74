// Checks a server at a URL against the contract at the seam, from both its sides: as its client, and by the
// probe that it serves. For tests and for the `atlas-conformance` command.
#pragma once

#include <atlas/asgi/conformance/report.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace atlas::asgi {

struct ServerUrl {
  std::string host;
  std::uint16_t port = 80;
  std::string path;  ///< Without a slash at its end; empty at the root.
};

/// "http://host:port/path". Throws std::invalid_argument, saying what is wrong.
[[nodiscard]] ServerUrl parse_server_url(std::string_view url);

struct ServerCheckOptions {
  Duration patience = std::chrono::seconds(15);  ///< For each answer.
};

/// **Suspends**, on a fiber of any loop. Where the URL does not answer as `conformance_probe` does, only what
/// shows from outside is checked, and the rest is said to be not checked.
[[nodiscard]] ConformanceReport check_server(const ServerUrl& url, const ServerCheckOptions& options = {});

}  // namespace atlas::asgi
