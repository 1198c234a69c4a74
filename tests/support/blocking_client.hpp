// An HTTP/1.1 client on a real, blocking socket: for tests that talk to a server in another process or
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace atlas::testing {

struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;                            ///< De-chunked.
  bool complete = false;                       ///< Whether all of the body came.
};

/// One connection. Everything waits at most 20 seconds.
class BlockingClient {
 public:
  /// To 127.0.0.1. Throws std::system_error.
  explicit BlockingClient(std::uint16_t port);
  /// To a unix socket.
  explicit BlockingClient(const std::string& path);
  ~BlockingClient();
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  void send(std::string_view bytes) const;
  /// "GET /x HTTP/1.1" and the header that it needs; more header lines, each with its line end, and a body.
  void send_request(std::string_view method, std::string_view target, std::string_view headers = {},
                    std::string_view body = {}) const;
  /// The answer to a request that was sent; `to_head` when it has no body.
  [[nodiscard]] Response receive(bool to_head = false);
  [[nodiscard]] Response request(std::string_view method, std::string_view target,
                                 std::string_view headers = {}, std::string_view body = {});
  /// The next bytes as they come; none at the end.
  [[nodiscard]] std::string receive_some();
  /// Whether the server closes, with nothing more to read.
  [[nodiscard]] bool at_end();

 private:
  [[nodiscard]] bool read_more();
  [[nodiscard]] std::optional<std::string> take_line();
  [[nodiscard]] bool take(std::size_t bytes, std::string& into);
  [[nodiscard]] bool take_chunks(std::string& into);
  void take_head(Response& response);

  int descriptor_;
  std::string unread_;
};

}  // namespace atlas::testing
