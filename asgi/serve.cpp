#include <atlas/asgi/serve.hpp>

#include <atlas/asgi/serve_command.hpp>

namespace atlas {

int serve(asgi::Application application, int argc, char** argv) {
  return asgi::run_serve_command(
      {}, [&](const asgi::CommandLine&) { return application; }, argc, argv);
}

}  // namespace atlas
