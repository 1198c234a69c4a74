// A command that serves, from its arguments to the status it exits with. Internal: for `atlas::serve` and the
// `atlas` command.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/command_line.hpp>

#include <functional>
#include <string>

namespace atlas::asgi {

/// Makes the application that the command line names, if it names one. Throws UsageError.
using MakeApplication = std::function<Application(const CommandLine& line)>;

/// The promises are those of `atlas::serve`.
[[nodiscard]] int run_serve_command(const CommandSyntax& syntax, const MakeApplication& make_application,
                                    int argc, char** argv);

/// Writes "atlas: …" to stderr, as one line.
void print_error(const std::string& text);

}  // namespace atlas::asgi
