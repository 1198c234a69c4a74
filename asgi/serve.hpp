// The whole of a server's main(): `int main(int argc, char** argv) { return atlas::serve(app, argc, argv); }`
#pragma once

#include <atlas/asgi/application.hpp>

namespace atlas {

/// Reads the command line, ATLAS_… variables and a TOML file, serves `application` until SIGINT or
/// SIGTERM, and gives the status to exit with: 0 after an orderly stop, 1 when the server could not start
/// or stop in good order, 2 for bad usage. Errors are one line on stderr.
int serve(asgi::Application application, int argc, char** argv);

}  // namespace atlas
