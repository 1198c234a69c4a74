// The `atlas` command.
#include <atlas/app/demo.hpp>
#include <atlas/app/plugin_loader.hpp>
#include <atlas/asgi/serve_command.hpp>
#include <atlas/asgi/static_files.hpp>
#include <atlas/version.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

namespace {

using namespace atlas;

constexpr char help[] =
    "usage: atlas serve [LIBRARY[:NAME]] [options]\n"
    "       atlas serve --static FOLDER [options]\n"
    "       atlas --version\n"
    "\n"
    "Serves the application that a shared library exports with ATLAS_APPLICATION, the files of a folder, or\n"
    "the built-in demo.\n"
    "`atlas serve --help` lists the options.\n";

asgi::Application plugin(const std::string& name) {
  try {
    return app::load_application(name);
  } catch (const app::PluginError& error) {
    throw asgi::UsageError(error.what());
  }
}

asgi::Application static_files(const std::string& folder) {
  try {
    return asgi::StaticFiles(folder);
  } catch (const std::system_error& error) {
    throw asgi::UsageError("--static=" + folder + ": " + error.code().message());
  }
}

asgi::Application make_application(const asgi::CommandLine& line) {
  if (!line.static_folder.empty()) return static_files(line.static_folder);
  return line.application.empty() ? asgi::Application(app::demo()) : plugin(line.application);
}

int serve(int argc, char** argv) {
  const asgi::CommandSyntax syntax{.program = "atlas serve", .takes_application = true};
  return asgi::run_serve_command(syntax, make_application, argc, argv);
}

int print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

int refuse(const std::string& text) {
  asgi::print_error(text + " (see atlas --help)");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return refuse("no command given");
  const std::string command = argv[1];
  if (command == "serve") return serve(argc - 1, argv + 1);
  if (command == "--version") return print(std::string("atlas ") + version + "\n");
  if (command == "--help" || command == "-h") return print(help);
  return refuse(command + ": no such command");
}
