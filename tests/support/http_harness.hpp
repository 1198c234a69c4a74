// A worker without sockets and threads: an application served over streams in memory, on a loop whose time
// moves only when a test says so.
#pragma once

#include <atlas/core/memory_stream.hpp>
#include "support/manual_driver.hpp"

#include <atlas/asgi/http_connection.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace atlas::testing {

/// Without the `server` field, which would only make expectations longer.
[[nodiscard]] asgi::ServerOptions plain_options();

/// A whole response: two messages.
void answer(asgi::Send& send, std::string_view body, int status = 200);

/// Suspends: the request's body to its end; nothing when the client left before that.
[[nodiscard]] std::optional<std::string> read_body(asgi::Receive& receive);

/// Bytes of responses without their date fields, which change.
[[nodiscard]] std::string without_dates(std::string_view responses);

class HttpHarness {
 public:
  explicit HttpHarness(asgi::Application application, const asgi::ServerOptions& options = plain_options(),
                       const asgi::State& state = {});
  /// Cancels what still runs.
  ~HttpHarness();
  HttpHarness(const HttpHarness&) = delete;
  HttpHarness& operator=(const HttpHarness&) = delete;

  /// A new connection, of a client at 192.0.2.1:4000 to 192.0.2.80:80.
  MemoryPeer connect(const MemoryStreamOptions& options = {});
  MemoryPeer connect(const MemoryStreamOptions& options, asgi::ConnectionFacts facts);

  // Of the first connection, which is opened when it is first used:
  [[nodiscard]] MemoryPeer& client();
  /// Sends, then runs whatever can run. Time stands still.
  void send(std::string_view bytes);
  /// All that has come and was not taken, without dates.
  [[nodiscard]] std::string received();
  /// The same, and forgets it.
  std::string take();

  void run() { loop_.run_until_idle(); }
  void advance(Duration duration) { loop_.advance(duration); }
  /// Begins to drain. `drained` has the answer when that is done; of several, the answer of the last when all
  /// are.
  void drain(Duration patience);
  [[nodiscard]] std::optional<bool> drained() const noexcept { return drained_; }

  [[nodiscard]] std::size_t connections_open() const noexcept { return connections_->size(); }
  [[nodiscard]] const asgi::HttpConnections& connections() const noexcept { return *connections_; }
  [[nodiscard]] const asgi::WorkerCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] TestLoop& loop() noexcept { return loop_; }

 private:
  const asgi::ServerOptions options_;
  const asgi::Application application_;
  asgi::WorkerCounters counters_;
  asgi::Admission admission_;
  TestLoop loop_;
  asgi::WorkerContext worker_;
  std::optional<asgi::HttpConnections> connections_;
  std::optional<MemoryPeer> client_;
  std::uint64_t next_connection_id_ = 1;
  int draining_ = 0;  // calls of `drain` under way
  std::optional<bool> drained_;
};

}  // namespace atlas::testing
