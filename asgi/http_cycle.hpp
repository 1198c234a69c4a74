// One request after another on one connection: reads a request, runs the application, sees to it that
// there is a response. Suspends wherever the client or the application make it wait.
#pragma once

#include <atlas/asgi/access_log.hpp>
#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/admission.hpp>
#include <atlas/asgi/application.hpp>
#include <atlas/asgi/line_allowance.hpp>
#include <atlas/asgi/options.hpp>
#include <atlas/asgi/request_reader.hpp>
#include <atlas/asgi/response_writer.hpp>
#include <atlas/asgi/server_clock.hpp>
#include <atlas/asgi/server_status.hpp>
#include <atlas/core/cost.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/output_buffer.hpp>

#include <optional>
#include <string>

namespace atlas::asgi {

/// A worker's connections, as those that serve one of them know them. They are told before a fiber suspends.
class ConnectionsOfWorker : public SuspendHook {
 public:
  [[nodiscard]] virtual bool over_budget() const noexcept = 0;

 protected:
  ~ConnectionsOfWorker() = default;
};

/// What all connections of a worker share. Outlives them.
struct WorkerContext {
  const ServerOptions& options;
  const Application& application;
  WorkerCounters& counters;
  Admission& admission;
  const ServerStatus* server = nullptr;
  const FiberCensus* fibers = nullptr;  ///< As applications may see it.
  int worker = -1;
  State state = {};  ///< From lifespan's start-up, copied to each request.
  ServerClock clock = {};
  bool draining = false;                       ///< No connection outlives its present response.
  ConnectionsOfWorker* connections = nullptr;  ///< They set it.
  std::size_t buffered_bytes_max =
      SIZE_MAX;  ///< This worker's share of ConnectionLimits::buffered_bytes_max.
  /// In output buffers and begun heads, as of their fibers' last suspensions. What is read lies in chunks.
  std::size_t held_bytes = 0;
  static constexpr std::uint64_t refusal_lines_per_second_max = 16;  ///< Of requests, in the log.
  LineAllowance refusal_lines{refusal_lines_per_second_max};
};

/// What a connection tells its requests.
struct ConnectionFacts {
  std::uint64_t id = 0;
  std::string client_host;  ///< Empty on a unix socket.
  std::optional<std::uint16_t> client_port;
  std::string server_host;
  std::optional<std::uint16_t> server_port;
  std::uint64_t requests = 0;  ///< Begun so far.
};

/// Pooled: taken by a connection when bytes arrive, given back when it has nothing more to say, so
/// that an idle connection holds none of it.
class HttpCycle final : private Receive, private Send, private SuspendHook, private ReadBudget {
 public:
  enum class End : std::uint8_t {
    idle,     ///< Wait for the next request.
    unasked,  ///< What came was no request, and wins no time: wait on.
    close,    ///< All is said.
    linger,   ///< All is said, but the client may still be sending.
    cut,      ///< The client must see that something is missing, or is gone.
  };

  explicit HttpCycle(WorkerContext& worker);

  /// Suspends: serves requests until no byte of another one is there. Counts them in `facts`. Both are used
  /// until `end`. The last answers may not be written yet.
  void serve(Stream& stream, ConnectionFacts& facts);
  /// Gives the system what it takes of the answers at once. Whether that was all, or all that ever will be.
  [[nodiscard]] bool write_without_waiting() noexcept;
  /// Suspends until that is so.
  void write();
  /// When all is written: what becomes of the connection.
  [[nodiscard]] End end() noexcept;

  /// From the loop's stack: the client has closed its side before `end`.
  void client_gone() noexcept;

 private:
  void begin(Stream& stream, ConnectionFacts& facts);
  [[nodiscard]] End serve_requests();
  [[nodiscard]] std::optional<End> serve_request();
  [[nodiscard]] End answer_unread_head(RequestReader::Outcome outcome);
  void begin_request();
  [[nodiscard]] bool fill_scope();
  [[nodiscard]] bool answer_for_server();
  void call_application() noexcept;
  void call_in_time();
  void application_failed(std::string_view what);
  [[nodiscard]] std::optional<End> end_request();
  void account_for_request();
  [[nodiscard]] bool discard_body();
  void refuse_body(RequestReader::Outcome outcome);
  void refuse(int status, std::string_view reason);
  void log_refusal(int status, std::string_view reason);
  void write_access_log(std::string_view request_line, http::HeadersView headers, const Cost* cost);

  ReceivedMessage next() override;
  [[nodiscard]] std::optional<HttpRequest> next_piece();
  void wait_for_disconnect();
  void handle(MessageRef message) override;
  [[nodiscard]] bool client_lost() const noexcept;
  void tell_of_end();
  void before_suspend() noexcept override;
  [[nodiscard]] bool exceeded() noexcept override;
  void count_held_bytes() noexcept;

  WorkerContext& worker_;
  const ServerOptions& options_;
  const WriteLimits write_limits_;
  RequestReader reader_;
  OutputBuffer output_;
  ResponseWriter response_;
  const bool counts_cost_;
  CostMeter meter_;
  Stream* stream_ = nullptr;
  ConnectionFacts* facts_ = nullptr;
  std::size_t counted_bytes_ = 0;  // of ours, in WorkerContext::held_bytes
  End end_ = End::cut;

  // Of the present request.
  Scope scope_;
  ByteBuffer decoded_path_;
  std::string full_path_;
  TimePoint started_;
  AccessNotes notes_;
  Waker disconnect_waiter_;
  bool in_request_ = false;
  bool body_ended_ = false;    // the application has got the last piece
  bool gone_ = false;          // the client, or the server's patience with its body
  bool told_of_end_ = false;   // the application has got a disconnect
  bool continue_due_ = false;  // the client waits for "100 Continue"
};

}  // namespace atlas::asgi
