// Reads responses by the letter of RFC 9112, to judge what a server has sent: without a line of the server's
// own code, and stricter than a client would be.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::testing {

/// What no server may send.
class BadResponse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The request that a response answers.
struct Asked {
  bool head = false;  ///< The method was HEAD.
  bool http_1_0 = false;
};

struct ReadResponse {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  int status = 0;
  Fields fields;  ///< Names in lower case.
  Fields trailers;
  std::string body;  ///< As far as it has come.
  bool chunked = false;
  std::optional<std::uint64_t> length;
  bool keeps_alive = true;
  bool head_complete = false;
  bool complete = false;

  /// The first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
};

/// Takes a response from the front of `input`: all of it where the response is not complete. `ended`: nothing
/// more will come. Throws BadResponse.
[[nodiscard]] ReadResponse read_response(std::string_view& input, const Asked& asked, bool ended);

}  // namespace atlas::testing
