// Everything about a server that can be set, with safe defaults. `atlas::serve` fills it from the
// command line, the environment and a file.
#pragma once

#include <atlas/core/ip_networks.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/time.hpp>
#include <atlas/http/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace atlas::asgi {

struct Timeouts {
  Duration header = std::chrono::seconds(10);      ///< A request's head, from its first byte. Then 408.
  Duration body = std::chrono::seconds(30);        ///< Between two pieces of a request's body. Then 408.
  Duration rate_grace = std::chrono::seconds(30);  ///< Of waiting, before a body's rate is looked at.
  /// For the application's answer, body included; zero: no limit. Then its waits end, and 503 if nothing was
  /// sent.
  Duration request = Duration::zero();
  Duration keep_alive = std::chrono::seconds(60);  ///< Between two requests. Then the connection is closed.
  Duration write = std::chrono::seconds(30);  ///< Without the client taking what it must. Then it is cut.
  Duration linger = std::chrono::seconds(2);  ///< Reading on after a refusal, so that the client sees it.
  Duration drain = std::chrono::seconds(30);  ///< For running requests, once the server is stopping.
};

/// Bounds that a client meets before a request of its is looked at.
struct ConnectionLimits {
  /// Of all clients together; 0: what the process's limit of open files leaves room for. At the limit an
  /// idle connection makes room, one that is near its timeout; when none is idle, 503.
  std::size_t connections_max = 0;
  /// Of one IPv4 address or IPv6 /64 network, on all workers; 0: three quarters of `connections_max`. Above:
  /// 503.
  std::size_t connections_per_address_max = 0;
  /// After so many, a connection is closed in good order; 0: no limit.
  std::uint64_t requests_per_connection_max = 0;
  /// What connections may hold in read and write buffers, begun heads and stacks, together; 0: a quarter of
  /// the machine's memory. Above, new requests get 503 and no connection reads ahead.
  std::size_t buffered_bytes_max = 0;
  /// A request's body must arrive at this average rate once `Timeouts::rate_grace` is over, whatever the
  /// application is doing being left out; 0: no limit. Below: 408.
  std::size_t body_bytes_per_second_min = 240;
  /// A response must be taken at this average rate during each Timeouts::write. Below: the connection is cut.
  std::size_t write_bytes_per_second_min = 240;
  /// What is read and thrown away after a refusal, so that the client sees it.
  std::size_t linger_bytes_max = std::size_t{16} * 1024 * 1024;
};

/// Which thread accepts.
enum class AcceptMode : std::uint8_t {
  acceptor,   ///< One of its own, which hands clients to the workers; a worker that is alone, itself.
  reuseport,  ///< Each worker, on a socket of its own (SO_REUSEPORT): the system spreads clients by hash.
};

/// Which worker the acceptor gives a client to.
enum class Placement : std::uint8_t { round_robin, least_connections };

/// Who answers a request that is not about a resource.
enum class AnsweredBy : std::uint8_t { server, application };

enum class AccessLogFormat : std::uint8_t { off, common, json };

struct ServerOptions {
  /// Where to listen; addresses as literals, "localhost" for both loopback addresses. Port 0: any free one.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;
  /// A unix socket's path to listen on instead; empty: none.
  std::string unix_path = {};
  int backlog = 4096;
  /// Proxies that begin each connection with a header of the PROXY protocol (version 1 or 2), which tells the
  /// client's address. From them it must come, from others it must not.
  IpNetworks proxy_protocol_from = {};
  /// Worker threads, each with a loop of its own; 0: one for each processor this process may use.
  int workers = 0;

  AcceptMode accept = AcceptMode::acceptor;
  Placement placement = Placement::round_robin;

  http::Limits limits = {};
  ConnectionLimits connection_limits = {};
  Timeouts timeouts = {};
  /// Bytes of responses gathered for one connection before `send` waits for the client.
  std::size_t write_buffer_bytes_max = std::size_t{64} * 1024;
  /// Bytes of a request's body that are read and thrown away to keep the connection, when the application
  /// did not want them.
  std::size_t discarded_body_bytes_max = std::size_t{256} * 1024;

  std::string server_name = "atlas";                 ///< The `server` field of responses; empty: none.
  AnsweredBy trace = AnsweredBy::server;             ///< TRACE. The server: 501. (CONNECT is always 501.)
  AnsweredBy options_asterisk = AnsweredBy::server;  ///< "OPTIONS *". The server: 204.
  std::string root_path = {};  ///< Where a proxy has mounted this server; ASGI's root_path.
  AccessLogFormat access_log = AccessLogFormat::off;
  bool access_log_cost = false;  ///< Processor time and suspended time of each request, in its line.
  bool server_timing = false;  ///< The same as a `server-timing` field of the response, for everybody to see.
  /// How long a worker's loop may be kept from coming round before it is logged, and by whom; zero: not
  /// watched.
  Duration stall_threshold = std::chrono::milliseconds(200);
  /// Whether applications get what /debug/fibers of the demo shows: AtlasExtension::fibers.
  bool debug_endpoints = false;
  SchedulerOptions scheduler = {};
};

}  // namespace atlas::asgi
