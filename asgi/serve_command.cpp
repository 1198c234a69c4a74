#include <atlas/asgi/serve_command.hpp>

#include <atlas/asgi/option_values.hpp>
#include <atlas/asgi/server.hpp>
#include <atlas/core/signals.hpp>

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <span>
#include <stdexcept>

namespace atlas::asgi {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

std::span<const char* const> arguments_of(int argc, char** argv) {
  const std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
  return all.empty() ? all : all.subspan(1);
}

std::span<const char* const> environment() {
  std::size_t count = 0;
  while (::environ != nullptr && ::environ[count] != nullptr) ++count;
  return {::environ, count};
}

void print(const std::string& text) {
  fmt::print("{}", text);
  if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write to stdout");
}

/// To what the process may have at most: the lower limit is there for programs that call select(2).
void raise_open_files_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
}

void serve_or_print(const CommandSyntax& syntax, const MakeApplication& make_application, int argc,
                    char** argv) {
  const auto line = read_command_line(syntax, arguments_of(argc, argv), environment());
  if (!line.printout.empty()) return print(line.printout);
  ignore_broken_pipes();
  raise_open_files_limit();
  Server server(make_application(line), line.configuration.server, line.configuration.log);
  server.run_until_signalled();
}

}  // namespace

void print_error(const std::string& text) {
  const auto line = fmt::format("atlas: {}\n", on_one_line(text));
  std::fputs(line.c_str(), stderr);  // which may be closed: there is nobody left to tell
}

int run_serve_command(const CommandSyntax& syntax, const MakeApplication& make_application, int argc,
                      char** argv) {
  try {
    serve_or_print(syntax, make_application, argc, argv);
    return exit_ok;
  } catch (const UsageError& error) {
    print_error(error.what());
    return exit_usage;
  } catch (const std::exception& error) {
    print_error(error.what());
    return exit_failed;
  }
}

}  // namespace atlas::asgi
