// How a server is configured: command line over environment over file over default, all three following one
// table of options. Knows nothing of what is then done with the configuration. Internal.
#pragma once

#include <atlas/asgi/option_table.hpp>

#include <span>
#include <stdexcept>
#include <string>

namespace atlas::asgi {

/// Bad usage, in one line that says what and where: "--workers=abc: not a whole number".
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the command line looks like beside the options.
struct CommandSyntax {
  std::string program = "atlas";  ///< For --help: "atlas serve".
  /// Whether it may name what is served: LIBRARY[:NAME], or --static FOLDER.
  bool takes_application = false;
};

struct CommandLine {
  Configuration configuration = {};
  std::string application = {};    ///< As given; empty when not.
  std::string static_folder = {};  ///< The same, and never both.
  std::string printout =
      {};  ///< Not empty when --help or --version asks for this text, and for nothing else.
};

/// `arguments` without the program's name; `environment` as "NAME=value". Reads the file that --config or
/// ATLAS_CONFIG names, if one does. Throws UsageError.
///
/// A variable ATLAS_… that is not an option is left alone: Kubernetes sets ATLAS_SERVICE_HOST and its kin in
/// every container beside a service named atlas. A key in the file that is not an option is refused.
[[nodiscard]] CommandLine read_command_line(const CommandSyntax& syntax,
                                            std::span<const char* const> arguments,
                                            std::span<const char* const> environment);

}  // namespace atlas::asgi
