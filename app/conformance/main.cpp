// The `atlas-conformance` command: whether an application, or a server, keeps the contract at the seam.
#include <atlas/app/plugin_loader.hpp>
#include <atlas/asgi/conformance/application_check.hpp>
#include <atlas/asgi/conformance/server_check.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/version.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace atlas;

constexpr int exit_broken = 1;
constexpr int exit_usage = 2;

struct Arguments {
  std::string application;
  std::vector<std::string> requests;
  std::string url;
  unsigned time_limit = 300;
  bool broken_only = false;
};

/// "POST /notes {"title": "a"}": method, target, body. A body is said to be JSON.
asgi::ConformanceRequest parse_request(const std::string& text) {
  const auto first = text.find(' ');
  const auto second = text.find(' ', first == std::string::npos ? first : first + 1);
  asgi::ConformanceRequest request{.method = text.substr(0, first)};
  if (first != std::string::npos) request.target = text.substr(first + 1, second - first - 1);
  if (second != std::string::npos) {
    request.body = text.substr(second + 1);
    request.headers = {{"content-type", "application/json"},
                       {"content-length", std::to_string(request.body.size())}};
  }
  if (!request.target.starts_with('/'))
    throw CLI::ValidationError("--request", fmt::format("'{}' has no target that begins with a slash", text));
  return request;
}

asgi::ConformanceReport check_application(const Arguments& arguments) {
  auto requests = asgi::usual_requests();
  for (const auto& text : arguments.requests) requests.push_back(parse_request(text));
  return asgi::check_application(app::load_application(arguments.application), requests);
}

asgi::ConformanceReport check_server(const Arguments& arguments) {
  const auto url = asgi::parse_server_url(arguments.url);
  asgi::ConformanceReport report;
  run_event_loop([&] { report = asgi::check_server(url); });
  return report;
}

/// What holds its thread keeps every other answer from coming.
void limit_time(unsigned seconds) {
  std::signal(SIGALRM, [](int) {
    constexpr std::string_view text =
        "atlas-conformance: the time is up: somebody holds the thread, or waits\n";
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
    _exit(exit_broken);
  });
  alarm(seconds);
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App command("Checks applications and servers against ASGI's contract, message by message.",
                   "atlas-conformance");
  command.set_version_flag("--version", std::string("atlas-conformance ") + version);
  command.require_subcommand(1);
  command.add_flag("--broken", arguments.broken_only, "Print only what does not hold");
  command.add_option("--time-limit", arguments.time_limit, "Seconds after which to give up")
      ->capture_default_str();
  auto* application = command.add_subcommand("application", "Checks the application that a library exports");
  application->add_option("library", arguments.application, "LIBRARY[:NAME], as for atlas serve")->required();
  application
      ->add_option("--request", arguments.requests,
                   "\"METHOD TARGET [BODY]\": a request to check besides the usual ones; may be repeated")
      ->allow_extra_args(false);
  auto* server =
      command.add_subcommand("server", "Checks the server at a URL, which serves the conformance probe");
  server->add_option("url", arguments.url, "http://host:port/path")->required();
  try {
    command.parse(argc, argv);
    limit_time(arguments.time_limit);
    const auto report = application->parsed() ? check_application(arguments) : check_server(arguments);
    fmt::print("{}", report.to_text(arguments.broken_only));
    return report.conforms() ? 0 : exit_broken;
  } catch (const CLI::ParseError& error) {
    const int status = command.exit(error);
    return status == 0 ? 0 : exit_usage;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "atlas-conformance: %s\n", error.what()));
    return exit_usage;
  }
}
