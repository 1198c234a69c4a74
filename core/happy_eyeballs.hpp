// Which of a name's addresses answers first: RFC 8305, "Happy Eyeballs Version 2". Knows nothing of sockets
// and names.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <span>
#include <vector>

namespace atlas {

/// Makes one connection.
class Connector {
 public:
  /// Suspends until connected. Called on several fibers at once, which are cancelled when another is first.
  virtual Result<StreamPtr> connect(const SocketAddress& address) = 0;

 protected:
  ~Connector() = default;
};

/// The addresses in the order in which to try them (RFC 8305 §4): the families take turns, beginning with the
/// first address's; within a family the order stays.
[[nodiscard]] std::vector<SocketAddress> interleave_families(std::span<const SocketAddress> addresses);

/// Suspends until the first connection is there; all others are given up and closed (RFC 8305 §5). Attempts
/// begin in the order of `addresses` (at least one), each `attempt_delay` after the one before, or as soon as
/// an attempt fails; the delay is taken as 10 ms if it is less. When all have failed, the error is the last
/// one that came from further away than this host, if there was one: "refused" says more than "no route".
[[nodiscard]] Result<StreamPtr> connect_first(std::span<const SocketAddress> addresses, Connector& connector,
                                              Duration attempt_delay, Deadline deadline = {});

}  // namespace atlas
