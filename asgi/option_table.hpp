// Every option of a server, once: its name, what it is for, how its value is read and where it goes. The
// command line, the environment, the configuration file and --help all follow this table. Internal.
#pragma once

#include <atlas/asgi/options.hpp>
#include <atlas/core/log_sink.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// All that can be configured.
struct Configuration {
  ServerOptions server = {};
  log::SinkOptions log = {};
};

struct Option {
  std::string_view
      name;  ///< "keep-alive-timeout": so in the file, --keep-alive-timeout, ATLAS_KEEP_ALIVE_TIMEOUT.
  std::string_view value;  ///< What --help shows for its value: "PORT".
  std::string_view group;  ///< Where --help lists it.
  std::string_view help;
  /// Throws BadValue.
  std::function<void(Configuration&, std::string_view text)> set;
  /// The value as it would be written.
  std::function<std::string(const Configuration&)> get;
};

/// In the order of --help; the options of a group are neighbours.
[[nodiscard]] const std::vector<Option>& option_table();

}  // namespace atlas::asgi
