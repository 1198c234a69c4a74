// A client's connection, from accept to close. While it is idle it is only this: data, without a fiber,
// a stack or a buffer. Bytes that arrive get it a fiber.
#pragma once

#include <atlas/asgi/fiber_census.hpp>
#include <atlas/asgi/http_cycle.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/proxy_header.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/timer_wheel.hpp>

#include <memory>
#include <vector>

namespace atlas::asgi {

class HttpConnections;

class HttpConnection final : private InputObserver {
 public:
  HttpConnection(HttpConnections& owner, StreamPtr stream, ConnectionFacts facts, Admission::Place place);

  /// Waits for the first request; before that for the header of a proxy, if one is to come.
  void begin(bool behind_proxy);
  /// Closes the connection, and destroys it, if it is idle.
  void close_if_idle();
  /// Cuts the connection under a request.
  void cut() noexcept { stream_->abort(); }

 private:
  friend class HttpConnections;

  void on_input() override;
  void be_served() noexcept;
  void shed();
  void read_proxy_header();
  [[nodiscard]] bool admit_client(const ProxyHeader& header);
  void serve();
  void write_without_waiting() noexcept;
  void write();
  void conclude() noexcept;
  void linger();
  void read_on();
  void wait_for_request(Duration timeout) noexcept;
  void wait_on() noexcept;
  void on_idle_timer() noexcept;
  [[nodiscard]] std::string client() const;

  HttpConnections& owner_;
  StreamPtr stream_;
  ConnectionFacts facts_;
  Admission::Place place_;
  std::unique_ptr<HttpCycle> cycle_;  // while a request is being read, served or answered
  bool idle_ = false;
  bool proxy_header_due_ = false;
  std::uint64_t fiber_id_ = 0;  // of the one that serves it
  TimePoint idle_until_;
  Timer idle_timer_;  // not later than that; it stays armed while requests come
  atlas::detail::ListLink<HttpConnection> link_{this};
};

/// All connections of one worker, and what they share. Of one thread.
///
/// Connections that have something to say wait in line for a fiber, which serves one after the other for as
/// long as none makes it wait. Their answers are written when all of those have theirs, or some of them have
/// taken long: each write runs so much of the system's code that ours has to be fetched into the processor's
/// cache anew behind it. A fiber that has to wait writes what is there, and leaves those in line to another.
class HttpConnections final : private ConnectionsOfWorker {
 public:
  explicit HttpConnections(WorkerContext& worker) : worker_(worker) { worker.connections = this; }
  /// Suspends until no fiber of a connection is left: all must have been told to end.
  ~HttpConnections();
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;

  /// Serves a client, or tells it that there is no room. From the loop's stack or a fiber; does not suspend.
  void admit(const SocketAddress& client, StreamPtr stream, ConnectionFacts facts);

  /// Suspends: closes idle connections at once, waits until requests are finished, and at `deadline` cuts
  /// those that are not, cancelling their applications. True when none had to be cut. May be called again
  /// meanwhile: the earlier deadline counts.
  bool drain(Deadline deadline);

  /// Adds to the fibers of connections whose clients they are. Does not suspend.
  void name_clients(std::vector<FiberRow>& rows) const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  friend class HttpConnection;

  void add(StreamPtr stream, ConnectionFacts facts, Admission::Place place, bool behind_proxy);
  void stand_in_line(HttpConnection& connection) noexcept;
  void give_fiber() noexcept;
  void serve_line();
  void serve_first_in_line();
  [[nodiscard]] bool held_enough() noexcept;
  void write_held() noexcept;
  void before_suspend() noexcept override;
  /// Has a fiber of its own go on with the connection.
  void go_on(HttpConnection& connection, void (HttpConnection::*part)()) noexcept;
  /// Closes an idle connection. False when none was found.
  [[nodiscard]] bool make_room();
  void refuse(Stream& stream, std::string_view reason, const ConnectionFacts& facts);
  void log_closed(const ConnectionFacts& facts, std::string_view why);
  [[nodiscard]] bool over_budget() const noexcept override;
  [[nodiscard]] std::unique_ptr<HttpCycle> take_cycle();
  void give_back(std::unique_ptr<HttpCycle> cycle);
  void remove(HttpConnection& connection) noexcept;
  void count_fibers(std::size_t ending) noexcept;

  WorkerContext& worker_;
  atlas::detail::ListLink<HttpConnection> connections_;  // but for those in line
  atlas::detail::ListLink<HttpConnection> line_;
  std::size_t size_ = 0;               // of both
  bool fiber_due_ = false;             // one will look at the line
  std::size_t fibers_missed_ = 0;      // for want of memory, since that was last logged
  std::vector<HttpConnection*> held_;  // served, and not written yet; empty while a fiber is suspended
  TimePoint clock_seen_;               // while answers were held
  LineAllowance refusal_lines_{1};     // of connections
  std::vector<std::unique_ptr<HttpCycle>> cycles_;  // most recently used last
  bool cut_ = false;                                // a drain has lost its patience
  FiberGroup fibers_;
};

}  // namespace atlas::asgi
