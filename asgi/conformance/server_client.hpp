// The client that checks a server. Internal; see server_check.hpp.
#pragma once

#include <atlas/asgi/conformance/server_check.hpp>
#include <atlas/asgi/testing/response_parser.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/core/stream.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// A promise that does not hold; its text says what was seen.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Fault: "`what` is `seen`, not `wanted`".
void expect_equal(std::string_view what, std::string_view seen, std::string_view wanted);
void expect_equal(std::string_view what, std::int64_t seen, std::int64_t wanted);
/// Throws Fault with this text unless `holds`.
void expect(bool holds, std::string_view otherwise);

/// A connection.
class ServerConnection {
 public:
  ServerConnection(const ServerUrl& url, Duration patience);

  void send(std::string_view bytes);
  /// A request head with `host` and `fields` ("a: b\r\n"…).
  void send_head(std::string_view method, std::string_view target, std::string_view fields = {},
                 std::string_view version = "HTTP/1.1");
  /// To the response's end, or the connection's. Throws Fault when neither comes.
  [[nodiscard]] TestResponse read(std::string_view method = "GET");
  /// Until so much of a response's body has come, as read by the parser of the present response.
  [[nodiscard]] std::string read_body(std::size_t bytes);
  /// Whether the server closes the connection.
  [[nodiscard]] bool closes();
  /// Cuts it, so that the server sees a reset.
  void reset() noexcept { stream_->reset(); }
  /// "127.0.0.1 4000"
  [[nodiscard]] std::string local_endpoint() const;
  [[nodiscard]] std::string peer_endpoint() const;
  /// All that has come.
  [[nodiscard]] const std::string& raw() const noexcept { return raw_; }

 private:
  void begin_response(std::string_view method);
  /// False at the end of the stream.
  bool feed();

  const ServerUrl& url_;
  Duration patience_;
  StreamPtr stream_;
  std::optional<ResponseParser> parser_;
  std::string body_;
  std::string raw_;
  bool ended_ = false;
};

/// What a script has come to.
struct ScriptRun {
  TestResponse response;
  std::vector<std::string> notes;
  std::string raw;
  bool closed = false;  ///< The server has closed the connection after it.
};

class ServerClient {
 public:
  ServerClient(ServerUrl url, Duration patience) : url_(std::move(url)), patience_(patience) {}

  [[nodiscard]] ServerConnection connect() const { return {url_, patience_}; }
  [[nodiscard]] std::string target(std::string_view path) const { return url_.path + std::string(path); }
  /// On a connection of its own.
  [[nodiscard]] TestResponse ask(std::string_view path, std::string_view method = "GET",
                                 std::string_view fields = {}, std::string_view version = "HTTP/1.1") const;

  [[nodiscard]] std::string new_run();
  /// The target for a script's run.
  [[nodiscard]] std::string script(const std::string& run, std::string_view steps) const;
  /// Suspends until the run has ended.
  [[nodiscard]] std::vector<std::string> notes(const std::string& run) const;
  [[nodiscard]] std::vector<std::string> notes_so_far(const std::string& run) const;
  /// Has the probe do it, on a connection of its own.
  [[nodiscard]] ScriptRun run(std::string_view steps, std::string_view method = "GET",
                              std::string_view fields = {}, std::string_view body = {},
                              std::string_view version = "HTTP/1.1");

 private:
  [[nodiscard]] std::vector<std::string> lines_of(const std::string& path) const;

  ServerUrl url_;
  Duration patience_;
  std::uint64_t runs_ = 0;
};

/// The value of a line "key=value"; throws Fault when there is none.
[[nodiscard]] std::string value_of(std::string_view lines, std::string_view key);

}  // namespace atlas::asgi
