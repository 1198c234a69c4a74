// An application that does, request by request, what its path asks for: all that real ones do to a server,
// good and bad. Counts its calls, so that a scenario can tell whether each has ended.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/core/address.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atlas::testing {

/// Of all workers: in a simulation they are of one thread.
struct ApplicationLedger {
  std::uint64_t entered = 0;
  std::uint64_t left = 0;
  std::size_t lifespans_open = 0;
  std::size_t children_alive = 0;
};

/// The bytes that a body of `token` is made of, of which each piece is a part.
[[nodiscard]] std::string body_of(std::string_view token, std::size_t bytes);

/// "/<kind>/<token>?n=<number>&ms=<number>", where kind is
///   echo      the token, a colon and the request's body
///   get       body_of(token, n) in pieces, with pauses of `ms`
///   nap       the token after `ms`
///   ignore    the token, without reading the request's body
///   children  the sum of what n fibers count, guarded by a mutex, each after a pause
///   upstream  what `upstream` answers to /nap/<token>; 502 if it does not
///   throw     an exception instead of a response
///   half      an exception behind n bytes of a body
///   silent    a return without a response
///   forever   nothing, until the client leaves
///   flood     a body without end, until the client leaves
[[nodiscard]] asgi::Application scenario_application(ApplicationLedger& ledger,
                                                     const SocketAddress& upstream);

}  // namespace atlas::testing
