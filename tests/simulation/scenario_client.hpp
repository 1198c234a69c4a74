// A client of scenario_application: sends what its plan says, in pieces, and checks every byte that comes
// back.
#pragma once

#include "support/random.hpp"

#include <atlas/core/address.hpp>
#include <atlas/core/stream.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace atlas::testing {

/// A request, and what must come of it on a good day.
struct Exchange {
  std::string request;
  std::string token;
  int status = 200;
  std::string body = {};  ///< Of a response with status 200.
  Duration takes{};       ///< The application's pauses.
  bool to_head = false;   ///< A HEAD request: no body comes.
  bool ends = false;      ///< The server closes the connection behind it.
  bool cut = false;       ///< The response is begun and never completed.
  bool endless = false;   ///< Goes on until the client leaves.
};

struct ClientPlan {
  std::vector<Exchange> exchanges;
  std::size_t pipelined_max = 1;  ///< Requests sent before the first answer is waited for.
  Duration pause_max{};           ///< Between pieces of what it sends.
  /// Nothing goes wrong, so every response must come, whole.
  bool calm = true;
  /// Of a client that is not calm: bytes that it sends before it leaves; none if they are more than it has.
  std::size_t leaves_after_bytes = 0;
  bool leaves_by_half = false;  ///< It closes its direction only, and reads on for a while.
  Duration reads_slowly{};      ///< It pauses before each read.
};

/// Runs the plan against the server at `address`. Suspends. What was wrong, in words; nothing if all was
/// well.
[[nodiscard]] std::vector<std::string> run_client(const SocketAddress& address, const ClientPlan& plan,
                                                  Random& random);

}  // namespace atlas::testing
