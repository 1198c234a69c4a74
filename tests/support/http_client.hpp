// A small client over real sockets. It blocks its thread, but no longer than some seconds: a test that would
// hang fails.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/socket.hpp>

#include <string>
#include <string_view>

namespace atlas::testing {

/// Throws std::system_error for whatever goes wrong; too long a silence is timed_out.
class HttpClient {
 public:
  explicit HttpClient(const SocketAddress& server);

  void send(std::string_view bytes);
  /// To the end of the body that its content-length declares. Without one: to the end of the head.
  [[nodiscard]] std::string read_response();
  /// Until the server closes. A reset connection is an error.
  [[nodiscard]] std::string read_to_end();
  /// Sends "GET <path>" and gives the response's body.
  [[nodiscard]] std::string get(std::string_view path);
  void shutdown_write();

 private:
  /// False at the end of the stream.
  bool read_more();

  FileDescriptor fd_;
  std::string unread_;
};

}  // namespace atlas::testing
