#include <atlas/asgi/conformance/server_check.hpp>

#include <atlas/asgi/conformance/probe.hpp>
#include <atlas/asgi/conformance/server_checks.hpp>

#include <exception>

namespace atlas::asgi {
namespace {

struct Subject {
  std::string_view name;
  std::span<const ServerCheck> checks;
};

void run_checks(const Subject& subject, ServerClient& client, ConformanceReport& report) {
  report.begin(subject.name);
  for (const auto& check : subject.checks) {
    try {
      check.run(client);
      report.add(check.promise, {});
    } catch (const std::exception& error) {
      report.add(check.promise, error.what());
    }
  }
}

/// Empty: the probe is there.
std::string why_no_probe(const ServerClient& client) {
  try {
    const auto response = client.ask("/");
    if (response.status == 200 && response.body.starts_with(probe_greeting)) return {};
    return "the URL is not served by the conformance probe";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

ConformanceReport check_server(const ServerUrl& url, const ServerCheckOptions& options) {
  ServerClient client(url, options.patience);
  ConformanceReport report;
  run_checks({"from outside", outer_checks()}, client, report);
  const auto without_probe = why_no_probe(client);
  const Subject by_probe[] = {
      {"scope, http", scope_checks()},
      {"lifespan", lifespan_checks()},
      {"receive", receive_checks()},
      {"send: framing", framing_checks()},
      {"send: what is refused", refusal_checks()},
      {"applications that fail, clients that leave", failure_checks()},
      {"extensions", extension_checks()},
  };
  for (const auto& subject : by_probe) {
    if (without_probe.empty()) {
      run_checks(subject, client, report);
      continue;
    }
    report.begin(subject.name);
    for (const auto& check : subject.checks) report.add_not_checked(check.promise, without_probe);
  }
  report.begin("beyond this check");
  report.add_not_checked("'lifespan.shutdown' comes, and is waited for", "the server goes on");
  report.add_not_checked("scope and messages of websocket", "Atlas does not serve that scope yet");
  report.add_not_checked("extension 'tls'", "the URL is of plain http");
  return report;
}

}  // namespace atlas::asgi
