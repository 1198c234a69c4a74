// Reads responses as a strict client does, without a line of the server's own code.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atlas::testing {

struct ScannedResponse {
  int status = 0;
  std::string token;  ///< The field x-token.
  std::string body;   ///< As far as it has come.
  bool head_complete = false;
  bool complete = false;
  bool keeps_alive = true;
  std::size_t bytes = 0;  ///< What it took of the input; all, unless complete.
};

/// The first response in `input`, which may end anywhere. `to_head`: it answers a HEAD request. `ended`:
/// nothing more will come. Throws std::runtime_error for what no server may send.
[[nodiscard]] ScannedResponse scan_response(std::string_view input, bool to_head, bool ended);

}  // namespace atlas::testing
